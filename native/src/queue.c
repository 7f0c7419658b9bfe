/*
 * Opening and closing queues, and their counters. The burst itself is in burst.c.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "burst.h"
#include "compat.h"
#include "errors.h"
#include "queue.h"

#define QUEUES_MAX 1024
#define PORTS_MAX RTE_MAX_ETHPORTS

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

/* Nothing is held, waits or is cut. */
static void forget(struct queue *queue)
{
	queue->held_count = 0;
	queue->waiting_first = queue->waiting_last = 0;
	queue->cut_first = queue->cut_last = 0;
	queue->cut_offset = 0;
	memset(queue->ring, 0, RING_WORDS * sizeof(int32_t));
}

static bool prepare(napi_env env, struct queue *queue, napi_value options, struct arena *arena)
{
	int64_t pool = js_get_int(env, options, "pool", -1);
	int64_t cut_pool = js_get_int(env, options, "cutPool", -1);
	int64_t join_pool = js_get_int(env, options, "joinPool", -1);
	int64_t ring_at = js_get_int(env, options, "ringAt", -1);
	int64_t rx_pool = js_get_int(env, options, "rxPool", -1);

	if (pool < 0 || pool >= arena->pool_count || cut_pool >= arena->pool_count ||
	    join_pool >= arena->pool_count || rx_pool < 0 || rx_pool >= arena->pool_count || ring_at < 0 || ring_at % 4 != 0 ||
	    (size_t)ring_at + RING_WORDS * sizeof(int32_t) > arena->size)
		return false;
	queue->port = js_get_int(env, options, "port", RTE_MAX_ETHPORTS);
	queue->id = js_get_int(env, options, "queue", 0);
	queue->drain = js_get_bool(env, options, "drain", false);
	queue->guarded = js_get_bool(env, options, "guarded", false);
	queue->hardware_tx_sums = js_get_bool(env, options, "hardwareTxSums", false);
	queue->hardware_rx_sums = js_get_bool(env, options, "hardwareRxSums", false);
	queue->hardware_segmentation = js_get_bool(env, options, "hardwareSegmentation", false);
	queue->unfinished_sums = js_get_bool(env, options, "unfinishedSums", false);
	queue->frame_max = js_get_int(env, options, "frameMax", 1518);
	queue->frame_min = js_get_int(env, options, "frameMin", 0);
	queue->segment_max = js_get_int(env, options, "segmentMax", 0);
	queue->cut_pool = cut_pool < 0 ? NULL : arena->pools[cut_pool].mempool;
	queue->join_pool = join_pool < 0 ? NULL : arena->pools[join_pool].mempool;
	queue->steering = steering_find(js_get_int(env, options, "steering", -1));
	queue->arena = arena;
	queue->ring = (int32_t *)(arena->base + ring_at);
	queue->slots = &arena->pools[pool];
	queue->rx_pool = arena->pools[rx_pool].mempool;
	queue->state = calloc((queue->slots->to - queue->slots->from) / SLOT_GRAIN + 1, 1);
	queue->waiting_size = queue->slots->mempool->size;
	queue->waiting = calloc(queue->waiting_size, sizeof(*queue->waiting));
	memset(queue->counters, 0, sizeof(queue->counters));
	forget(queue);
	return queue->state != NULL && queue->waiting != NULL;
}

static void discard(struct queue *queue)
{
	free(queue->state);
	free(queue->waiting);
	queue->state = NULL;
	queue->waiting = NULL;
}

/* A new handle for a queue that was entered, with its first free slots. */
static napi_value begin(napi_env env, struct queue *queue, int index)
{
	uint32_t generation = (queue->generation + 1) % (INT32_MAX / QUEUES_MAX);

	queue->generation = generation;
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
	if (queue == NULL || !prepare(env, queue, argv[0], arena)) {
		if (queue != NULL)
			discard(queue);
		pthread_mutex_unlock(&lock);
		return throw_misuse(env, "EINVAL", "queueOpen: bad pool, ring or too many queues");
	}
	queue->open = 1;
	enter(queue);
	pthread_mutex_unlock(&lock);
	return begin(env, queue, index);
}

/* Empties a ring that would outlive the pools of the mbufs in it. */
static void drain(struct queue *queue)
{
	struct rte_mbuf *left[RX_MAX];
	uint16_t count;

	while ((count = rte_eth_rx_burst(queue->port, queue->id, left, RX_MAX)) > 0)
		rte_pktmbuf_free_bulk(left, count);
}

/* Sets or takes away who is woken; in a queue that was entered. */
static void set_wake(struct queue *queue, struct wake *wake)
{
	if (queue->steering != NULL)
		__atomic_store_n(&queue->steering->wakes[queue->id], wake, __ATOMIC_RELEASE);
	if (queue->wake != NULL)
		wake_close(queue->wake);
	queue->wake = wake;
}

/* Gives every mbuf that the queue, its ring or the stack above holds back to its pool. */
static void give_back(struct queue *queue)
{
	rte_pktmbuf_free_bulk(queue->held, queue->held_count);
	rte_pktmbuf_free_bulk(queue->waiting + queue->waiting_first,
			      queue->waiting_last - queue->waiting_first);
	rte_pktmbuf_free_bulk(queue->cut + queue->cut_first, queue->cut_last - queue->cut_first);
	for (size_t at = queue->slots->from; at < queue->slots->to; at += SLOT_GRAIN)
		if (queue->state[(at - queue->slots->from) / SLOT_GRAIN] == SLOT_LENT)
			rte_pktmbuf_free((struct rte_mbuf *)(queue->arena->base + at - MBUF_BYTES));
	forget(queue);
	rte_mempool_cache_flush(NULL, queue->slots->mempool);
	rte_mempool_cache_flush(NULL, queue->rx_pool);
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
	give_back(queue);
	set_wake(queue, NULL);
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
			drain(queue);
		set_wake(queue, NULL);
		give_back(queue);
		discard(queue);
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
	set_wake(queue, wake);
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
