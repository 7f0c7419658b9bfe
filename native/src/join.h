/*
 * Joining of received TCP segments in software (GRO): what one burst brought of one flow, in
 * order, reaches the stack as one large segment (RX_COALESCED).
 */
#ifndef DPDK_NET_JOIN_H
#define DPDK_NET_JOIN_H

#include "queue.h"

/*
 * Looks at the frame that `descriptor` shows, number `index` in the burst. True when its payload
 * was appended to an earlier one's: then the frame is to be freed and not shown.
 */
bool join(struct queue *queue, struct rte_mbuf *frame, int32_t *descriptor, uint16_t index);

#endif
