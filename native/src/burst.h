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

/* One exchange; returns the frames received. *forged: some descriptor was refused. */
int32_t burst(struct queue *queue, bool running, bool *forged);
/* Fills up the ring's table of free transmit slots. */
void burst_refill(struct queue *queue);

#endif
