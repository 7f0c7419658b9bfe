/*
 * The burst: everything that happens per packet below JavaScript.
 */
#ifndef DPDK_NET_BURST_H
#define DPDK_NET_BURST_H

#include "queue.h"

/* One state byte per so many bytes of the slot pool. */
#define SLOT_GRAIN 64

/* With the pool, the device or the waiting list. */
#define SLOT_OURS 0
/* With the stack above: in the ring's table, or taken from it. Only such a slot may be sent. */
#define SLOT_LENT 1

static inline int32_t burst_clamp(int32_t value, int32_t most)
{
	return value < 0 ? 0 : value > most ? most : value;
}

static inline void burst_set_state(struct queue *queue, uint32_t slot, uint8_t state)
{
	queue->state[(slot - queue->slots->from) / SLOT_GRAIN] = state;
}

/* Frees and counts a frame. */
static inline void burst_drop(struct queue *queue, struct rte_mbuf *mbuf, enum queue_counter why)
{
	queue->counters[why]++;
	rte_pktmbuf_free(mbuf);
}

/*
 * What the device has, up to `most` frames; none, counted, while there are no buffers for a burst:
 * then it waits where it is.
 */
uint16_t receive_burst(struct queue *queue, struct rte_mbuf **frames, uint16_t most);
/* Takes over the stack's transmit descriptors; false when one of them is forged. */
bool transmit_take(struct queue *queue);
/* Sends what the device takes; the rest waits, in order. */
void transmit_send(struct queue *queue);
/* Receives, and describes what came on the ring; returns the descriptors. */
int32_t receive_frames(struct queue *queue);

/* One exchange; returns the frames received. *forged: some descriptor was refused. */
int32_t burst(struct queue *queue, bool running, bool *forged);
/* Fills up the ring's table of free transmit slots. */
void burst_refill(struct queue *queue);

#endif
