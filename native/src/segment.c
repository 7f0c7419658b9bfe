/*
 * Segmentation in software: each frame gets a copy of the headers, its part of the payload, and
 * sums made in the same pass over the bytes that copies them.
 *
 * DPDK's rte_gso would give chains of mbufs, without checksums and for IPv4 only.
 */
#include <string.h>

#include <rte_byteorder.h>

#include "checksum.h"
#include "segment.h"
#include "sum.h"

#define TCP 6
#define FIN_AND_PSH 0x09
#define CWR 0x80

static inline void add16(uint8_t *at, uint32_t value)
{
	uint16_t old;

	memcpy(&old, at, sizeof(old));
	old = rte_cpu_to_be_16((uint16_t)(rte_be_to_cpu_16(old) + value));
	memcpy(at, &old, sizeof(old));
}

static inline void write16(uint8_t *at, uint32_t value)
{
	uint16_t swapped = rte_cpu_to_be_16((uint16_t)value);

	memcpy(at, &swapped, sizeof(swapped));
}

static inline void add32(uint8_t *at, uint32_t value)
{
	uint32_t old;

	memcpy(&old, at, sizeof(old));
	old = rte_cpu_to_be_32(rte_be_to_cpu_32(old) + value);
	memcpy(at, &old, sizeof(old));
}

static inline void store_sum(uint8_t *at, uint64_t sum)
{
	uint16_t folded = (uint16_t)~sum_fold(sum);

	memcpy(at, &folded, sizeof(folded));
}

/* Writes the frame for the payload bytes from `offset` on, which are `part` many. */
static void cut_one(const struct rte_mbuf *large, struct rte_mbuf *frame, uint32_t offset,
		    uint32_t part, bool is_last)
{
	uint32_t l2 = large->l2_len, l3 = large->l3_len, l4 = large->l4_len;
	uint32_t headers = l2 + l3 + l4;
	const uint8_t *from = rte_pktmbuf_mtod(large, const uint8_t *);
	uint8_t *to = rte_pktmbuf_mtod(frame, uint8_t *);
	uint8_t *ip = to + l2, *tcp = ip + l3;
	bool v6 = (large->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
	uint64_t sum;

	memcpy(to, from, headers);
	sum = sum_copy(to + headers, from + headers + offset, part);
	frame->data_len = (uint16_t)(headers + part);
	frame->pkt_len = headers + part;

	if (v6) {
		write16(ip + 4, l3 - 40 + l4 + part);
	} else {
		write16(ip + 2, l3 + l4 + part);
		add16(ip + 4, offset / large->tso_segsz);
		memset(ip + 10, 0, 2);
		store_sum(ip + 10, sum_bytes(ip, l3, 0));
	}
	add32(tcp + 4, offset);
	if (offset > 0)
		tcp[13] &= (uint8_t)~CWR;
	if (!is_last)
		tcp[13] &= (uint8_t)~FIN_AND_PSH;
	memset(tcp + 16, 0, 2);
	sum = sum_bytes(tcp, l4, sum);
	store_sum(tcp + 16, sum + checksum_pseudo_header(ip, v6, TCP, l4 + part));
}

uint16_t segment_cut(struct rte_mbuf *large, uint32_t *offset, struct rte_mempool *pool,
		     struct rte_mbuf **frames, uint16_t most)
{
	uint32_t payload = segment_payload(large), mss = large->tso_segsz;
	uint32_t left = (payload - *offset + mss - 1) / mss;
	uint16_t count = left < most ? (uint16_t)left : most;

	while (count > 0 && rte_pktmbuf_alloc_bulk(pool, frames, count) != 0)
		count /= 2;
	for (uint16_t i = 0; i < count; i++) {
		uint32_t part = payload - *offset < mss ? payload - *offset : mss;

		cut_one(large, frames[i], *offset, part, *offset + part == payload);
		*offset += part;
	}
	return count;
}
