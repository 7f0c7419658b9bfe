/*
 * The receive half of the burst: what the device has, judged, joined, and shown to the stack.
 */
#include <string.h>

#include <rte_ethdev.h>

#include "burst.h"
#include "checksum.h"
#include "join.h"
#include "rules.h"
#include "shared_pool.h"

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

/*
 * A frame that came in several buffers, as the stack wants it: in one. NULL when there is none that
 * is large enough: then it is freed.
 */
static struct rte_mbuf *gather(struct queue *queue, struct rte_mbuf *chain)
{
	struct rte_mbuf *whole = rte_pktmbuf_alloc(queue->gather_pool);
	const struct rte_mbuf *part = chain;

	if (whole == NULL || chain->pkt_len > rte_pktmbuf_tailroom(whole)) {
		rte_pktmbuf_free(whole);
		burst_drop(queue, chain, COUNT_RX_CHAIN_TOO_LONG);
		return NULL;
	}
	for (; part != NULL; part = part->next)
		memcpy(rte_pktmbuf_append(whole, part->data_len), rte_pktmbuf_mtod(part, void *),
		       part->data_len);
	whole->ol_flags = chain->ol_flags;
	whole->hash = chain->hash;
	whole->vlan_tci = chain->vlan_tci;
	rte_pktmbuf_free(chain);
	queue->counters[COUNT_RX_GATHERED]++;
	return whole;
}

/* Describes a received frame on the ring; false when it cannot be shown to the stack. */
static inline bool show(struct queue *queue, struct rte_mbuf *mbuf, int32_t *descriptor)
{
	size_t at;
	int32_t flags;

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

/* True when a burst's worth of buffers is at hand, nearly always in this worker's own cache. */
static inline bool has_buffers(const struct queue *queue)
{
	const struct rte_mempool_cache *cache =
		rte_mempool_default_cache(queue->rx_pool, rte_lcore_id());

	return likely(cache != NULL && cache->len >= RX_MAX) ||
	       shared_pool_has(queue->rx_pool, RX_MAX);
}

uint16_t receive_burst(struct queue *queue, struct rte_mbuf **frames, uint16_t most)
{
	if (unlikely(!has_buffers(queue))) {
		queue->counters[COUNT_RX_NO_BUFFERS]++;
		return 0;
	}
	return rte_eth_rx_burst(queue->port, queue->id, frames, most);
}

/* What a port with one queue receives: all that its rules do not drop. */
static uint16_t receive_all(struct queue *queue, struct rte_mbuf **frames)
{
	uint16_t count = receive_burst(queue, frames, RX_MAX), kept = 0;
	const struct rules *rules = rules_of(queue->port);

	if (likely(rules == NULL))
		return count;
	for (uint16_t i = 0; i < count; i++) {
		if (rules_match(rules, frames[i], 0) == RULES_DROP)
			burst_drop(queue, frames[i], COUNT_RX_RULED_OUT);
		else
			frames[kept++] = frames[i];
	}
	return kept;
}

int32_t receive_frames(struct queue *queue)
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
		if (unlikely(arrived[i]->nb_segs > 1) &&
		    (arrived[i] = gather(queue, arrived[i])) == NULL)
			continue;
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
