/*
 * The rules are those of Linux: only segments that carry data, from the same flow, with the next
 * sequence number, and with everything else in their headers equal: acknowledgment, window,
 * options (so also the timestamp), flags, DSCP and ECN, TTL, flow label. The stack could not tell
 * more of them apart than where one ended. A segment with PSH or shorter than the first is the
 * last one; any other segment of the flow ends it too, so a flow keeps its order.
 *
 * Differently: no segment with the mark CE (Accurate ECN counts them one by one, RFC 9768), none
 * with another window (Linux keeps the first), and the identification does not matter (RFC 6864).
 *
 * Nothing is joined that the checksums did not prove, and a frame keeps its bytes until the next
 * one fits: a flow of single segments costs a look at its headers and no copy.
 */
#include <string.h>

#include <rte_byteorder.h>

#include "join.h"

#define ETHERNET 14
#define IPV4 20
#define IPV6 40
#define CE 3
#define ACK 0x10
#define PSH 0x08
/* SYN, FIN, RST, URG: these are left alone. */
#define NEVER 0x27
#define VERDICTS (RX_IP_GOOD | RX_IP_BAD | RX_L4_GOOD | RX_L4_BAD)

static inline uint32_t read16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t read32(const uint8_t *at)
{
	return read16(at) << 16 | read16(at + 2);
}

static inline void write16(uint8_t *at, uint32_t value)
{
	uint16_t swapped = rte_cpu_to_be_16((uint16_t)value);

	memcpy(at, &swapped, sizeof(swapped));
}

/* Fills in `segment` from a frame with good sums; false when it is none that can be joined. */
static bool parse(const struct rte_mbuf *frame, const int32_t *descriptor, struct joining *segment)
{
	const uint8_t *at = rte_pktmbuf_mtod(frame, const uint8_t *);
	const uint8_t *ip = at + ETHERNET, *tcp;
	int32_t flags = descriptor[RX_FLAGS];
	uint32_t length = frame->data_len, end;

	if ((flags & RX_L4_GOOD) == 0 || (flags & (RX_VLAN_STRIPPED | RX_COALESCED)) != 0 ||
	    length < ETHERNET + IPV4 + 20)
		return false;
	if (ip[0] == 0x45 && (flags & VERDICTS) == (RX_IP_GOOD | RX_L4_GOOD)) {
		/* Hardware may vouch for the sum of a fragment that it took for a whole. */
		if (at[12] != 0x08 || at[13] != 0 || ip[9] != 6 || (ip[1] & CE) == CE ||
		    (read16(ip + 6) & 0x3fff) != 0)
			return false;
		segment->network = IPV4;
		end = ETHERNET + read16(ip + 2);
	} else if (ip[0] >> 4 == 6 && length >= ETHERNET + IPV6 + 20) {
		if (at[12] != 0x86 || at[13] != 0xdd || ip[6] != 6 || (ip[1] >> 4 & CE) == CE)
			return false;
		segment->network = IPV6;
		end = ETHERNET + IPV6 + read16(ip + 4);
	} else {
		return false;
	}
	tcp = ip + segment->network;
	segment->at = (uint8_t *)at;
	segment->headers = ETHERNET + segment->network + (tcp[12] >> 4) * 4u;
	if (end > length || tcp[12] >> 4 < 5 || segment->headers > end)
		return false;
	segment->length = end;
	segment->next = read32(tcp + 4) + (end - segment->headers);
	return true;
}

/* The same addresses and ports. */
static inline bool same_flow(const struct joining *a, const struct joining *b)
{
	uint32_t addresses = a->network == IPV4 ? 12 : 8, from = ETHERNET + addresses;

	/* Addresses and, right behind both kinds of header without options, the ports. */
	return a->network == b->network &&
	       memcmp(a->at + from, b->at + from, a->network - addresses + 4) == 0;
}

/* Everything that the stack sees of `next` but its sequence number and PSH is as in `first`. */
static bool same_headers(const struct joining *first, const struct joining *next)
{
	const uint8_t *a = first->at + ETHERNET, *b = next->at + ETHERNET;
	uint32_t network = first->network;
	bool same = first->headers == next->headers && memcmp(first->at, next->at, ETHERNET) == 0;

	if (network == IPV4)
		same = same && a[1] == b[1] && memcmp(a + 6, b + 6, 3) == 0;
	else
		same = same && memcmp(a, b, 4) == 0 && a[7] == b[7];
	a += network;
	b += network;
	/* Acknowledgment, offset and AE; flags; window; options. */
	return same && memcmp(a + 8, b + 8, 5) == 0 && ((a[13] ^ b[13]) & ~PSH) == 0 &&
	       memcmp(a + 14, b + 14, 2) == 0 &&
	       memcmp(a + 20, b + 20, first->headers - ETHERNET - network - 20) == 0;
}

/* Moves the first segment to where there is room behind it; false when there is no buffer. */
static bool make_room(struct queue *queue, struct joining *first)
{
	struct rte_mbuf *large = rte_pktmbuf_alloc(queue->join_pool);

	if (large == NULL)
		return false;
	first->room = rte_pktmbuf_tailroom(large);
	if (first->length > first->room) {
		rte_pktmbuf_free(large);
		return false;
	}
	first->at = memcpy(rte_pktmbuf_mtod(large, uint8_t *), first->at, first->length);
	rte_pktmbuf_free(queue->held[first->index]);
	queue->held[first->index] = large;
	first->descriptor[RX_AT] = (int32_t)(first->at - queue->arena->base);
	first->descriptor[RX_FLAGS] |= RX_COALESCED;
	return true;
}

/* Appends the payload; false, and nothing changed, when it does not fit. */
static bool append(struct queue *queue, struct joining *first, const struct joining *next)
{
	uint32_t payload = next->length - next->headers;
	uint8_t *ip, *tcp;

	if (first->room == 0 && !make_room(queue, first))
		return false;
	if (payload > first->room - first->length)
		return false;
	memcpy(first->at + first->length, next->at + next->headers, payload);
	first->length += payload;
	first->next += payload;
	first->descriptor[RX_LENGTH] = (int32_t)first->length;
	ip = first->at + ETHERNET;
	tcp = ip + first->network;
	if (first->network == IPV4)
		write16(ip + 2, first->length - ETHERNET);
	else
		write16(ip + 4, first->length - ETHERNET - IPV6);
	tcp[13] |= next->at[ETHERNET + next->network + 13] & PSH;
	return true;
}

bool join(struct queue *queue, struct rte_mbuf *frame, int32_t *descriptor, uint16_t index)
{
	struct joining segment, *first = queue->joining;
	struct joining *end = first + queue->joining_count;
	uint32_t payload;
	uint8_t flags;
	bool last;

	if (!parse(frame, descriptor, &segment))
		return false;
	payload = segment.length - segment.headers;
	flags = segment.at[ETHERNET + segment.network + 13];
	while (first < end && !same_flow(first, &segment))
		first++;
	if (first < end) {
		last = (flags & PSH) != 0 || payload < first->payload;
		if (payload > 0 && payload <= first->payload &&
		    first->next == segment.next - payload && same_headers(first, &segment) &&
		    append(queue, first, &segment)) {
			if (last)
				*first = queue->joining[--queue->joining_count];
			return true;
		}
		*first = queue->joining[--queue->joining_count];
	}
	if (payload == 0 || (flags & (ACK | PSH | NEVER)) != ACK ||
	    queue->joining_count == JOINING_MAX)
		return false;
	segment.payload = payload;
	segment.room = 0;
	segment.index = index;
	segment.descriptor = descriptor;
	queue->joining[queue->joining_count++] = segment;
	return false;
}
