/*
 * What a queue is made of, from its options to the last buffer given back.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "burst.h"
#include "compat.h"
#include "queue_parts.h"

/* Nothing is held, waits or is cut. */
static void forget(struct queue *queue)
{
	queue->held_count = 0;
	queue->waiting_first = queue->waiting_last = 0;
	queue->cut_first = queue->cut_last = 0;
	queue->cut_offset = 0;
	memset(queue->ring, 0, RING_WORDS * sizeof(int32_t));
}

bool queue_prepare(napi_env env, struct queue *queue, napi_value options, struct arena *arena)
{
	int64_t pool = js_get_int(env, options, "pool", -1);
	int64_t cut_pool = js_get_int(env, options, "cutPool", -1);
	int64_t join_pool = js_get_int(env, options, "joinPool", -1);
	int64_t gather_pool = js_get_int(env, options, "gatherPool", -1);
	int64_t ring_at = js_get_int(env, options, "ringAt", -1);
	int64_t rx_pool = js_get_int(env, options, "rxPool", -1);

	if (pool < 0 || pool >= arena->pool_count || cut_pool >= arena->pool_count ||
	    join_pool >= arena->pool_count || rx_pool < 0 || rx_pool >= arena->pool_count ||
	    gather_pool < 0 || gather_pool >= arena->pool_count || ring_at < 0 || ring_at % 4 != 0 ||
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
	queue->gather_pool = arena->pools[gather_pool].mempool;
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

void queue_discard(struct queue *queue)
{
	free(queue->state);
	free(queue->waiting);
	queue->state = NULL;
	queue->waiting = NULL;
}

void queue_drain(struct queue *queue)
{
	struct rte_mbuf *left[RX_MAX];
	uint16_t count;

	while ((count = rte_eth_rx_burst(queue->port, queue->id, left, RX_MAX)) > 0)
		rte_pktmbuf_free_bulk(left, count);
}

void queue_set_wake(struct queue *queue, struct wake *wake)
{
	if (queue->steering != NULL)
		__atomic_store_n(&queue->steering->wakes[queue->id], wake, __ATOMIC_RELEASE);
	if (queue->wake != NULL)
		wake_close(queue->wake);
	queue->wake = wake;
}

void queue_give_back(struct queue *queue)
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
