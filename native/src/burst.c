/*
 * One exchange between the stack and a device queue (layout.h, src/link/link.ts).
 *
 *   free what was received last time -> take over transmit descriptors -> send what the device
 *   takes -> receive -> fill up free slots
 *
 * Nothing read from the ring is trusted: counts are clamped, a slot must be one that is lent to
 * the stack, its range must lie in its own buffer. So a bug above is an exception, not a crash.
 */
#include <string.h>

#include <rte_ethdev.h>
#include <rte_net.h>

#include "burst.h"
#include "checksum.h"
#include "compat.h"
#include "guard.h"
#include "join.h"
#include "rules.h"
#include "segment.h"

/* Smaller is no segment size that anyone agreed on (RFC 9293: 536, Linux: 48 with options). */
#define MSS_MIN 32

static inline int32_t clamp(int32_t value, int32_t most)
{
	return value < 0 ? 0 : value > most ? most : value;
}

/* The mbuf whose buffer starts at `slot`, NULL unless that slot is lent to the stack. */
static inline struct rte_mbuf *lent_mbuf(const struct queue *queue, uint32_t slot)
{
	const struct pool *pool = queue->slots;

	if (slot < pool->from || slot >= pool->to || slot % SLOT_GRAIN != 0 ||
	    queue->state[(slot - pool->from) / SLOT_GRAIN] != SLOT_LENT)
		return NULL;
	return (struct rte_mbuf *)(queue->arena->base + slot - MBUF_BYTES);
}

static inline void set_state(struct queue *queue, uint32_t slot, uint8_t state)
{
	queue->state[(slot - queue->slots->from) / SLOT_GRAIN] = state;
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

static inline bool drop(struct queue *queue, struct rte_mbuf *mbuf, enum queue_counter why)
{
	queue->counters[why]++;
	rte_pktmbuf_free(mbuf);
	return true;
}

/* Queues a segment that the hardware or segment.c cuts; false when the descriptor is forged. */
static bool take_large(struct queue *queue, struct rte_mbuf *mbuf, int32_t flags, uint32_t mss)
{
	uint32_t headers = mbuf->l2_len + mbuf->l3_len + mbuf->l4_len;

	if (headers + mss > queue->frame_max || segment_payload(mbuf) > queue->segment_max)
		return drop(queue, mbuf, COUNT_TX_TOO_LONG);
	mbuf->tso_segsz = (uint16_t)mss;
	if (queue->hardware_segmentation) {
		mbuf->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		if (!ask_hardware(queue, mbuf, flags))
			return drop(queue, mbuf, COUNT_TX_REFUSED);
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
	set_state(queue, slot, SLOT_OURS);
	mbuf->data_off = (uint16_t)(at - slot);
	mbuf->data_len = (uint16_t)length;
	mbuf->pkt_len = length;
	if (sums)
		describe(mbuf, flags, headers);
	if (large && segment_payload(mbuf) > mss)
		return take_large(queue, mbuf, flags, mss);
	if (length > queue->frame_max)
		return drop(queue, mbuf, COUNT_TX_TOO_LONG);
	if (sums && !queue->hardware_tx_sums)
		checksum_fill(queue->arena->base + at, length, flags, mbuf->l2_len, mbuf->l3_len);
	else if (sums && !ask_hardware(queue, mbuf, flags))
		return drop(queue, mbuf, COUNT_TX_REFUSED);
	queue->waiting[queue->waiting_last++] = mbuf;
	return true;
}

/* Takes over the stack's transmit descriptors; false when one of them is forged. */
static bool take_all(struct queue *queue)
{
	int32_t count = clamp(queue->ring[TX_COUNT], TX_MAX);
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

/* Sends what the device takes; the rest waits, in order. */
static void send_waiting(struct queue *queue)
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

static inline int32_t hardware_verdict(uint64_t flags)
{
	int32_t verdict = 0;

	switch (flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) {
	case RTE_MBUF_F_RX_IP_CKSUM_GOOD: verdict |= RX_IP_GOOD; break;
	case RTE_MBUF_F_RX_IP_CKSUM_BAD: verdict |= RX_IP_BAD; break;
	default: break;
	}
	switch (flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) {
	/* None: the sum in the frame is not right, but the data is (between virtual machines). */
	case RTE_MBUF_F_RX_L4_CKSUM_NONE:
	case RTE_MBUF_F_RX_L4_CKSUM_GOOD: verdict |= RX_L4_GOOD; break;
	case RTE_MBUF_F_RX_L4_CKSUM_BAD: verdict |= RX_L4_BAD; break;
	default: break;
	}
	return verdict;
}

/* The hardware's verdicts where it gives them, our own where it does not. */
static inline int32_t verdict_of(const struct queue *queue, const struct rte_mbuf *mbuf)
{
	const int32_t ip = RX_IP_GOOD | RX_IP_BAD, l4 = RX_L4_GOOD | RX_L4_BAD;
	int32_t hardware = queue->hardware_rx_sums ? hardware_verdict(mbuf->ol_flags) : 0;
	int32_t software;

	if ((hardware & l4) != 0 && (hardware & ip) != 0)
		return hardware;
	software = checksum_verdict(rte_pktmbuf_mtod(mbuf, uint8_t *), mbuf->data_len,
				    queue->unfinished_sums);
	if ((hardware & ip) != 0)
		software = (software & ~ip) | (hardware & ip);
	if ((hardware & l4) != 0)
		software = (software & ~l4) | (hardware & l4);
	return software;
}

/* Describes a received frame on the ring; false when it cannot be shown to the stack. */
static inline bool show(struct queue *queue, struct rte_mbuf *mbuf, int32_t *descriptor)
{
	size_t at;
	int32_t flags;

	if (mbuf->nb_segs > 1 && rte_pktmbuf_linearize(mbuf) != 0) {
		queue->counters[COUNT_RX_CHAIN_TOO_LONG]++;
		return false;
	}
	at = (size_t)(rte_pktmbuf_mtod(mbuf, uint8_t *) - queue->arena->base);
	if (at >= queue->arena->size) {
		queue->counters[COUNT_RX_FOREIGN]++;
		return false;
	}
	flags = verdict_of(queue, mbuf);
	if ((mbuf->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0)
		flags |= RX_HASH_VALID;
	if ((mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0)
		flags |= RX_VLAN_STRIPPED;
	if ((mbuf->ol_flags & RTE_MBUF_F_RX_LRO) != 0)
		flags |= RX_COALESCED;
	if ((mbuf->ol_flags & RTE_MBUF_F_RX_FDIR_ID) != 0)
		flags |= RX_MARKED;
	descriptor[RX_AT] = (int32_t)at;
	descriptor[RX_LENGTH] = (int32_t)mbuf->pkt_len;
	descriptor[RX_FLAGS] = flags;
	descriptor[RX_HASH] = (int32_t)mbuf->hash.rss;
	descriptor[RX_TIME] = 0;
	descriptor[RX_VLAN] = mbuf->vlan_tci;
	descriptor[RX_MARK] = (int32_t)mbuf->hash.fdir.hi;
	queue->counters[COUNT_RX_BYTES] += mbuf->pkt_len;
	return true;
}

/* What a port with one queue receives: all that its rules do not drop. */
static uint16_t receive_all(struct queue *queue, struct rte_mbuf **frames)
{
	uint16_t count = rte_eth_rx_burst(queue->port, queue->id, frames, RX_MAX), kept = 0;
	const struct rules *rules = rules_of(queue->port);

	if (likely(rules == NULL))
		return count;
	for (uint16_t i = 0; i < count; i++) {
		if (rules_match(rules, frames[i], 0) == RULES_DROP)
			drop(queue, frames[i], COUNT_RX_RULED_OUT);
		else
			frames[kept++] = frames[i];
	}
	return kept;
}

static int32_t receive(struct queue *queue)
{
	struct rte_mbuf *arrived[RX_MAX], *joined[RX_MAX];
	uint16_t count, shown = 0, appended = 0;
	int32_t *descriptor;
	bool joins;

	if (queue->steering == NULL)
		count = receive_all(queue, arrived);
	else
		count = steer_receive(queue, arrived);
	joins = queue->join_pool != NULL && count > 1;
	queue->joining_count = 0;
	for (uint16_t i = 0; i < count; i++) {
		if (i + 4 < count)
			rte_prefetch0(rte_pktmbuf_mtod(arrived[i + 4], void *));
		descriptor = queue->ring + RX_BASE + shown * DESCRIPTOR_WORDS;
		if (!show(queue, arrived[i], descriptor))
			rte_pktmbuf_free(arrived[i]);
		else if (joins && join(queue, arrived[i], descriptor, shown))
			joined[appended++] = arrived[i];
		else
			queue->held[shown++] = arrived[i];
	}
	if (appended > 0)
		rte_pktmbuf_free_bulk(joined, appended);
	queue->counters[COUNT_RX_JOINED] += appended;
	queue->held_count = shown;
	queue->counters[COUNT_RX_FRAMES] += shown + appended;
	return shown;
}

void burst_refill(struct queue *queue)
{
	int32_t have = clamp(queue->ring[SLOT_COUNT], SLOT_MAX);
	struct rte_mbuf *fresh[SLOT_MAX];
	uint32_t need = (uint32_t)(SLOT_MAX - have);

	/* All or nothing is how pools give; an almost empty one gives what it has by halves. */
	while (need > 0 && rte_pktmbuf_alloc_bulk(queue->slots->mempool, fresh, need) != 0) {
		queue->counters[COUNT_NO_SLOTS]++;
		need /= 2;
	}
	for (uint32_t i = 0; i < need; i++) {
		uint32_t slot = (uint32_t)((uint8_t *)fresh[i]->buf_addr - queue->arena->base);

		set_state(queue, slot, SLOT_LENT);
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
	*forged = !take_all(queue);
	if (running && !(queue->guarded && guard_pending())) {
		send_waiting(queue);
		received = receive(queue);
	}
	queue->ring[RX_COUNT] = received;
	burst_refill(queue);
	return received;
}
