/*
 * The table of queues, and what JavaScript asks of one. What a queue is made of is in
 * queue_parts.c, the burst itself in burst.c.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "burst.h"
#include "errors.h"
#include "queue.h"
#include "queue_parts.h"
#include "shared_pool.h"

#define QUEUES_MAX 1024
#define PORTS_MAX RTE_MAX_ETHPORTS
/* Ethernet with a VLAN tag. */
#define FRAME_OVERHEAD 18

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* A queue is made once and used again after it was closed: a stale handle never dangles. */
static struct queue *queues[QUEUES_MAX];
static int running[PORTS_MAX];

static const char *const counter_names[QUEUE_COUNTERS] = {
	[COUNT_RX_FRAMES] = "rxFrames",
	[COUNT_RX_BYTES] = "rxBytes",
	[COUNT_TX_FRAMES] = "txFrames",
	[COUNT_TX_BYTES] = "txBytes",
	[COUNT_RX_JOINED] = "rxJoined",
	[COUNT_RX_FOREIGN] = "rxForeign",
	[COUNT_RX_CHAIN_TOO_LONG] = "rxChainTooLong",
	[COUNT_TX_BAD_DESCRIPTOR] = "txBadDescriptor",
	[COUNT_TX_TOO_LONG] = "txTooLong",
	[COUNT_TX_REFUSED] = "txRefused",
	[COUNT_NO_SLOTS] = "noSlots",
	[COUNT_RX_HANDED_OVER] = "rxHandedOver",
	[COUNT_RX_TAKEN_OVER] = "rxTakenOver",
	[COUNT_RX_HANDOVER_FULL] = "rxHandoverFull",
	[COUNT_RX_RULED_OUT] = "rxRuledOut",
	[COUNT_RX_NO_BUFFERS] = "rxNoBuffers",
	[COUNT_RX_GATHERED] = "rxGathered",
};

/* A handle is generation * QUEUES_MAX + index; always positive as an int32. */
static struct queue *find(int64_t handle)
{
	struct queue *queue;

	if (handle < 0)
		return NULL;
	queue = __atomic_load_n(&queues[handle % QUEUES_MAX], __ATOMIC_ACQUIRE);
	if (queue == NULL || queue->generation != (uint32_t)(handle / QUEUES_MAX))
		return NULL;
	return queue;
}

static void enter(struct queue *queue)
{
	while (__atomic_exchange_n(&queue->busy, 1, __ATOMIC_SEQ_CST) != 0)
		sched_yield();
}

static void leave(struct queue *queue)
{
	__atomic_store_n(&queue->busy, 0, __ATOMIC_RELEASE);
}

bool queue_any_busy(void)
{
	for (int i = 0; i < QUEUES_MAX; i++) {
		struct queue *queue = __atomic_load_n(&queues[i], __ATOMIC_ACQUIRE);

		if (queue == NULL)
			return false;
		if (queue->guarded && __atomic_load_n(&queue->busy, __ATOMIC_SEQ_CST) != 0)
			return true;
	}
	return false;
}

void queue_wait_port(uint16_t port)
{
	for (int i = 0; i < QUEUES_MAX; i++) {
		struct queue *queue = __atomic_load_n(&queues[i], __ATOMIC_ACQUIRE);

		if (queue == NULL)
			return;
		while (queue->port == port && __atomic_load_n(&queue->busy, __ATOMIC_SEQ_CST) != 0)
			sched_yield();
	}
}

void queue_port_running(uint16_t port, bool is_running)
{
	if (port < PORTS_MAX)
		__atomic_store_n(&running[port], is_running, __ATOMIC_SEQ_CST);
}

void queue_port_mtu(uint16_t port, uint16_t mtu)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < QUEUES_MAX && queues[i] != NULL; i++) {
		struct queue *queue = queues[i];

		if (!queue->open || queue->port != port)
			continue;
		enter(queue);
		queue->frame_max = mtu + FRAME_OVERHEAD;
		queue->ring[LINK_MTU] = mtu;
		leave(queue);
	}
	pthread_mutex_unlock(&lock);
}

/* A closed queue to use again, or a new one; its index in *index. Called with the lock held. */
static struct queue *vacant(int *index)
{
	for (int i = 0; i < QUEUES_MAX; i++) {
		struct queue *queue = queues[i];

		*index = i;
		if (queue == NULL) {
			queue = calloc(1, sizeof(*queue));
			__atomic_store_n(&queues[i], queue, __ATOMIC_RELEASE);
			return queue;
		}
		if (!queue->open && queue->waiting == NULL)
			return queue;
	}
	return NULL;
}

/* A new handle for a queue that was entered, with its first free slots. */
static napi_value begin(napi_env env, struct queue *queue, int index)
{
	uint32_t generation = (queue->generation + 1) % (INT32_MAX / QUEUES_MAX);

	queue->generation = generation;
	queue->ring[LINK_MTU] = (int32_t)(queue->frame_max - FRAME_OVERHEAD);
	burst_refill(queue);
	/* The next user may be another thread, which could not use what is in our cache. */
	rte_mempool_cache_flush(NULL, queue->slots->mempool);
	leave(queue);
	return js_number(env, (double)generation * QUEUES_MAX + index);
}

/* queueOpen({ arena, pool, ringAt, port, queue, guarded, ... }) -> handle */
napi_value queue_open(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct arena *arena;
	struct queue *queue;
	int index = 0;

	js_arguments(env, info, argv);
	arena = arena_find(js_get_int(env, argv[0], "arena", -1));
	if (arena == NULL)
		return throw_misuse(env, "EBADF", "queueOpen: no such arena");
	pthread_mutex_lock(&lock);
	queue = vacant(&index);
	if (queue == NULL || !queue_prepare(env, queue, argv[0], arena)) {
		if (queue != NULL)
			queue_discard(queue);
		pthread_mutex_unlock(&lock);
		return throw_misuse(env, "EINVAL", "queueOpen: bad pool, ring or too many queues");
	}
	queue->open = 1;
	enter(queue);
	pthread_mutex_unlock(&lock);
	return begin(env, queue, index);
}

/*
 * queueReclaim(handle) -> a new handle for the same queue: what the dead worker's stack held is
 * given back, what it sent and the device did not take yet is forgotten, the counters go on.
 */
napi_value queue_reclaim(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct queue *queue;
	int64_t handle;

	js_arguments(env, info, argv);
	handle = js_to_int(env, argv[0], -1);
	pthread_mutex_lock(&lock);
	queue = find(handle);
	if (queue == NULL || !queue->open) {
		pthread_mutex_unlock(&lock);
		return throw_misuse(env, "EBADF", "queueReclaim: no such queue");
	}
	enter(queue);
	pthread_mutex_unlock(&lock);
	queue_give_back(queue);
	queue_set_wake(queue, NULL);
	memset(queue->state, 0, (queue->slots->to - queue->slots->from) / SLOT_GRAIN + 1);
	return begin(env, queue, (int)(handle % QUEUES_MAX));
}

/* queueClose(handle): idempotent; afterwards exchange() returns -1 */
napi_value queue_close(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct queue *queue;

	js_arguments(env, info, argv);
	pthread_mutex_lock(&lock);
	queue = find(js_to_int(env, argv[0], -1));
	if (queue != NULL && queue->open) {
		enter(queue);
		queue->open = 0;
		if (queue->drain && running[queue->port])
			queue_drain(queue);
		queue_set_wake(queue, NULL);
		queue_give_back(queue);
		queue_discard(queue);
		leave(queue);
	}
	pthread_mutex_unlock(&lock);
	return js_undefined(env);
}

/* queueOnWake(handle, callback): the calling worker's; whether the device has an interrupt */
napi_value queue_on_wake(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result;
	struct queue *queue;
	struct wake *wake;
	int fd;

	js_arguments(env, info, argv);
	queue = find(js_to_int(env, argv[0], -1));
	if (queue == NULL || !queue->open)
		return throw_misuse(env, "EBADF", "queueOnWake: no such queue");
	fd = rte_eth_dev_rx_intr_ctl_q_get_fd(queue->port, queue->id);
	wake = wake_open(env, argv[1], fd, js_to_bool(env, argv[2], false));
	if (wake == NULL)
		return NULL;
	enter(queue);
	queue_set_wake(queue, wake);
	leave(queue);
	napi_get_boolean(env, fd >= 0, &result);
	return result;
}

/* queueSleep(handle) -> false when there is work already: then it is not to sleep */
napi_value queue_sleep(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result;
	struct queue *queue;
	bool sleeps = false;

	js_arguments(env, info, argv);
	queue = find(js_to_int(env, argv[0], -1));
	if (queue != NULL && queue->open && queue->wake != NULL) {
		/* Drivers that have a switch want it on each time; tap has none and needs none. */
		rte_eth_dev_rx_intr_enable(queue->port, queue->id);
		wake_sleep(queue->wake);
		sleeps = !steer_has_frames(queue);
		if (!sleeps)
			wake_up(queue->wake);
	}
	napi_get_boolean(env, sleeps, &result);
	return result;
}

/* queueWake(handle): wakes the queue's worker if it sleeps; from any thread */
napi_value queue_wake(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	struct queue *queue;

	js_arguments(env, info, argv);
	queue = find(js_to_int(env, argv[0], -1));
	if (queue != NULL)
		wake_ring(__atomic_load_n(&queue->wake, __ATOMIC_ACQUIRE));
	return js_undefined(env);
}

/* queueCounters(handle) -> { rxFrames, ... }; empty for a closed queue */
napi_value queue_counters(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], result = js_object(env);
	struct queue *queue;

	js_arguments(env, info, argv);
	queue = find(js_to_int(env, argv[0], -1));
	for (int i = 0; queue != NULL && i < QUEUE_COUNTERS; i++)
		js_set_number(env, result, counter_names[i], queue->counters[i]);
	if (queue != NULL && queue->open)
		js_set_number(env, result, "rxBorrowed", shared_pool_borrowed(queue->rx_pool));
	return result;
}

/* exchange(handle) -> frames received, -1 when the queue is closed */
napi_value queue_exchange(napi_env env, napi_callback_info info)
{
	napi_value argv[1], result;
	size_t count = 1;
	int32_t handle = -1, received = -1;
	struct queue *queue;
	bool forged = false;

	napi_get_cb_info(env, info, &count, argv, NULL, NULL);
	napi_get_value_int32(env, argv[0], &handle);
	queue = find(handle);
	if (queue != NULL) {
		if (__atomic_exchange_n(&queue->busy, 1, __ATOMIC_SEQ_CST) != 0)
			return throw_misuse(env, "EBUSY", "the queue is used by another thread");
		/* Looked at again: it may have been closed until we were in. */
		if (queue->open && find(handle) == queue)
			received = burst(queue, __atomic_load_n(&running[queue->port],
								__ATOMIC_RELAXED), &forged);
		leave(queue);
	}
	if (forged)
		return throw_misuse(env, "EINVAL", "a transmit descriptor names a slot or range "
						   "that is not the queue's to send");
	napi_create_int32(env, received, &result);
	return result;
}
