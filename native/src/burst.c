/*
 * One exchange between the stack and a device queue (layout.h, src/link/link.ts).
 *
 *   free what was received last time -> take over transmit descriptors -> send what the device
 *   takes -> receive -> fill up free slots
 *
 * Nothing read from the ring is trusted: counts are clamped, a slot must be one that is lent to
 * the stack, its range must lie in its own buffer. So a bug above is an exception, not a crash.
 */
#include "burst.h"
#include "guard.h"

void burst_refill(struct queue *queue)
{
	int32_t have = burst_clamp(queue->ring[SLOT_COUNT], SLOT_MAX);
	struct rte_mbuf *fresh[SLOT_MAX];
	uint32_t need = (uint32_t)(SLOT_MAX - have);

	/* All or nothing is how pools give; an almost empty one gives what it has by halves. */
	while (need > 0 && rte_pktmbuf_alloc_bulk(queue->slots->mempool, fresh, need) != 0) {
		queue->counters[COUNT_NO_SLOTS]++;
		need /= 2;
	}
	for (uint32_t i = 0; i < need; i++) {
		uint32_t slot = (uint32_t)((uint8_t *)fresh[i]->buf_addr - queue->arena->base);

		burst_set_state(queue, slot, SLOT_LENT);
		queue->ring[SLOT_BASE + have++] = (int32_t)slot;
	}
	queue->ring[SLOT_COUNT] = have;
}

/* Other queues' frames go home past our cache: it would hold what their devices receive into. */
static void free_held(struct queue *queue)
{
	uint16_t own = 0;

	for (uint16_t i = 0; i < queue->held_count; i++) {
		struct rte_mbuf *mbuf = queue->held[i];

		if (queue->steering == NULL || mbuf->pool == queue->rx_pool ||
		    rte_mempool_default_cache(mbuf->pool, rte_lcore_id()) == NULL)
			queue->held[own++] = mbuf;
		else if ((mbuf = rte_pktmbuf_prefree_seg(mbuf)) != NULL)
			rte_mempool_generic_put(mbuf->pool, (void **)&mbuf, 1, NULL);
	}
	rte_pktmbuf_free_bulk(queue->held, own);
	queue->held_count = 0;
}

int32_t burst(struct queue *queue, bool running, bool *forged)
{
	int32_t received = 0;

	if (queue->wake != NULL)
		wake_up(queue->wake);
	if (queue->held_count > 0)
		free_held(queue);
	*forged = !transmit_take(queue);
	if (running && !(queue->guarded && guard_pending())) {
		transmit_send(queue);
		received = receive_frames(queue);
	}
	queue->ring[RX_COUNT] = received;
	burst_refill(queue);
	return received;
}
