/*
 * The transmit half of the burst: from descriptors to what the device takes.
 */
#include <string.h>

#include <rte_ethdev.h>
#include <rte_net.h>

#include "burst.h"
#include "checksum.h"
#include "compat.h"
#include "segment.h"

/* Smaller is no segment size that anyone agreed on (RFC 9293: 536, Linux: 48 with options). */
#define MSS_MIN 32

/* The mbuf whose buffer starts at `slot`, NULL unless that slot is lent to the stack. */
static inline struct rte_mbuf *lent_mbuf(const struct queue *queue, uint32_t slot)
{
	const struct pool *pool = queue->slots;

	if (slot < pool->from || slot >= pool->to || slot % SLOT_GRAIN != 0 ||
	    queue->state[(slot - pool->from) / SLOT_GRAIN] != SLOT_LENT)
		return NULL;
	return (struct rte_mbuf *)(queue->arena->base + slot - MBUF_BYTES);
}

/* Notes the header lengths in the mbuf, for the hardware or for segment.c. */
static inline void describe(struct rte_mbuf *mbuf, int32_t flags, uint32_t headers)
{
	mbuf->l2_len = headers & 255;
	mbuf->l3_len = headers >> 8 & 255;
	mbuf->l4_len = headers >> 16 & 255;
	mbuf->ol_flags |= (flags & TX_IPV6) != 0 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
}

/* Asks the hardware for the checksums; true when the driver accepts the frame so. */
static bool ask_hardware(struct queue *queue, struct rte_mbuf *mbuf, int32_t flags)
{
	if ((flags & TX_IP_SUM) != 0)
		mbuf->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	if ((flags & TX_TCP_SUM) != 0)
		mbuf->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	if ((flags & TX_UDP_SUM) != 0)
		mbuf->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
	/* Hardware wants the pseudo header's sum in the field; then what the driver wants. */
	return rte_net_intel_cksum_prepare(mbuf) == 0 &&
	       rte_eth_tx_prepare(queue->port, queue->id, &mbuf, 1) == 1;
}

/* True when the headers that the checksums touch lie inside the frame. */
static inline bool headers_fit(int32_t flags, uint32_t length, uint32_t headers)
{
	uint32_t l2 = headers & 255, l3 = headers >> 8 & 255, l4 = headers >> 16 & 255;
	uint32_t network = (flags & TX_IPV6) != 0 ? 40 : 20;
	uint32_t transport = (flags & TX_TCP_SUM) != 0 ? 20 : (flags & TX_UDP_SUM) != 0 ? 8 : 0;

	return l2 >= 14 && l3 >= network && l4 >= transport && l2 + l3 + l4 <= length;
}

/* An honest descriptor whose frame can not be sent. */
static inline bool refuse(struct queue *queue, struct rte_mbuf *mbuf, enum queue_counter why)
{
	burst_drop(queue, mbuf, why);
	return true;
}

/* Queues a segment that the hardware or segment.c cuts; false when the descriptor is forged. */
static bool take_large(struct queue *queue, struct rte_mbuf *mbuf, int32_t flags, uint32_t mss)
{
	uint32_t headers = mbuf->l2_len + mbuf->l3_len + mbuf->l4_len;

	if (headers + mss > queue->frame_max || segment_payload(mbuf) > queue->segment_max)
		return refuse(queue, mbuf, COUNT_TX_TOO_LONG);
	mbuf->tso_segsz = (uint16_t)mss;
	if (queue->hardware_segmentation) {
		mbuf->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		if (!ask_hardware(queue, mbuf, flags))
			return refuse(queue, mbuf, COUNT_TX_REFUSED);
	}
	queue->waiting[queue->waiting_last++] = mbuf;
	return true;
}

/* Turns a descriptor into an mbuf on the waiting list; false when the descriptor is forged. */
static bool take(struct queue *queue, const int32_t *descriptor)
{
	uint32_t slot = (uint32_t)descriptor[TX_SLOT];
	uint32_t at = (uint32_t)descriptor[TX_AT];
	uint32_t length = (uint32_t)descriptor[TX_LENGTH];
	uint32_t headers = (uint32_t)descriptor[TX_HEADERS];
	uint32_t mss = (uint32_t)descriptor[TX_MSS];
	int32_t flags = descriptor[TX_FLAGS];
	bool sums = (flags & (TX_IP_SUM | TX_TCP_SUM | TX_UDP_SUM)) != 0;
	bool large = (flags & TX_SEGMENT) != 0;
	struct rte_mbuf *mbuf = lent_mbuf(queue, slot);

	if (mbuf == NULL || at < slot || length < 14 || length > mbuf->buf_len ||
	    at - slot > mbuf->buf_len - length)
		return false;
	if ((sums && !headers_fit(flags, length, headers)) ||
	    (large && ((flags & TX_TCP_SUM) == 0 || mss < MSS_MIN)))
		return false;
	burst_set_state(queue, slot, SLOT_OURS);
	mbuf->data_off = (uint16_t)(at - slot);
	mbuf->data_len = (uint16_t)length;
	mbuf->pkt_len = length;
	if (sums)
		describe(mbuf, flags, headers);
	if (large && segment_payload(mbuf) > mss)
		return take_large(queue, mbuf, flags, mss);
	if (length > queue->frame_max)
		return refuse(queue, mbuf, COUNT_TX_TOO_LONG);
	if (sums && !queue->hardware_tx_sums)
		checksum_fill(queue->arena->base + at, length, flags, mbuf->l2_len, mbuf->l3_len);
	else if (sums && !ask_hardware(queue, mbuf, flags))
		return refuse(queue, mbuf, COUNT_TX_REFUSED);
	queue->waiting[queue->waiting_last++] = mbuf;
	return true;
}

bool transmit_take(struct queue *queue)
{
	int32_t count = burst_clamp(queue->ring[TX_COUNT], TX_MAX);
	uint32_t waiting = queue->waiting_last - queue->waiting_first;
	bool honest = true;

	/* At most as many wait as the pool has slots, so after moving down they fit. */
	if (queue->waiting_first > 0 && queue->waiting_last + count > queue->waiting_size) {
		memmove(queue->waiting, queue->waiting + queue->waiting_first,
			waiting * sizeof(*queue->waiting));
		queue->waiting_first = 0;
		queue->waiting_last = waiting;
	}
	for (int32_t i = 0; i < count; i++) {
		if (!take(queue, queue->ring + TX_BASE + i * DESCRIPTOR_WORDS)) {
			queue->counters[COUNT_TX_BAD_DESCRIPTOR]++;
			honest = false;
		}
	}
	queue->ring[TX_COUNT] = 0;
	return honest;
}

/*
 * Fills a short frame up with zeros to what Ethernet carries at least. Many devices would do it,
 * some with whatever lies behind the frame: what other connections sent before (CVE-2003-0001).
 */
static inline void pad(struct rte_mbuf *frame, uint32_t frame_min)
{
	uint32_t missing = frame_min - frame->pkt_len;
	char *padding = rte_pktmbuf_append(frame, (uint16_t)missing);

	if (padding != NULL)
		memset(padding, 0, missing);
}

/* Hands frames to the device and counts them; returns how many it took. */
static uint16_t send_frames(struct queue *queue, struct rte_mbuf **frames, uint32_t count)
{
	uint16_t ask = count > TX_MAX ? TX_MAX : (uint16_t)count;
	uint32_t lengths[TX_MAX];
	uint16_t sent;

	/* The driver may have freed what it sent when it returns. */
	for (uint16_t i = 0; i < ask; i++) {
		if (frames[i]->pkt_len < queue->frame_min)
			pad(frames[i], queue->frame_min);
		lengths[i] = frames[i]->pkt_len;
	}
	sent = rte_eth_tx_burst(queue->port, queue->id, frames, ask);
	for (uint16_t i = 0; i < sent; i++)
		queue->counters[COUNT_TX_BYTES] += lengths[i];
	queue->counters[COUNT_TX_FRAMES] += sent;
	return sent;
}

/* A segment on the waiting list that we have to cut ourselves. */
static inline bool is_large(const struct queue *queue, const struct rte_mbuf *mbuf)
{
	return mbuf->tso_segsz != 0 && !queue->hardware_segmentation;
}

/* Sends the large segment at the head; false when the device or the pool stopped it midway. */
static bool send_large(struct queue *queue)
{
	struct rte_mbuf *large = queue->waiting[queue->waiting_first];

	for (;;) {
		queue->cut_first += send_frames(queue, queue->cut + queue->cut_first,
					 queue->cut_last - queue->cut_first);
		if (queue->cut_first < queue->cut_last)
			return false;
		queue->cut_first = queue->cut_last = 0;
		if (queue->cut_offset == segment_payload(large))
			break;
		queue->cut_last = segment_cut(large, &queue->cut_offset, queue->cut_pool,
					      queue->cut, CUT_MAX);
		if (queue->cut_last == 0) {
			queue->counters[COUNT_NO_SLOTS]++;
			return false;
		}
	}
	queue->cut_offset = 0;
	queue->waiting_first++;
	rte_pktmbuf_free(large);
	return true;
}

void transmit_send(struct queue *queue)
{
	while (queue->waiting_first < queue->waiting_last) {
		struct rte_mbuf **first = queue->waiting + queue->waiting_first;
		uint32_t most = queue->waiting_last - queue->waiting_first, run = 0;
		uint16_t sent;

		if (is_large(queue, *first)) {
			if (!send_large(queue))
				return;
			continue;
		}
		while (run < most && run < TX_MAX && !is_large(queue, first[run]))
			run++;
		sent = send_frames(queue, first, run);
		queue->waiting_first += sent;
		if (sent < run)
			return;
	}
	queue->waiting_first = queue->waiting_last = 0;
}
