/*
 * Cuts a large TCP segment into frames: the software half of segmentation offload.
 */
#ifndef DPDK_NET_SEGMENT_H
#define DPDK_NET_SEGMENT_H

#include <stdbool.h>

#include <rte_mbuf.h>

/*
 * Makes the next frames of `large`, from payload byte *offset on, at most `most`, from `pool`;
 * raises *offset. Returns how many; 0 when the pool is empty. Cut to the end when *offset has
 * reached segment_payload(large).
 *
 * The mbuf's l2_len, l3_len, l4_len, tso_segsz and RTE_MBUF_F_TX_IPV6 describe the segment.
 */
uint16_t segment_cut(struct rte_mbuf *large, uint32_t *offset, struct rte_mempool *pool,
		     struct rte_mbuf **frames, uint16_t most);

/* Payload bytes of a large segment. */
static inline uint32_t segment_payload(const struct rte_mbuf *large)
{
	return large->data_len - large->l2_len - large->l3_len - large->l4_len;
}

#endif
