/*
 * The tuple of a frame.
 *
 *   TCP, UDP          addresses and ports
 *   fragments         addresses: only the first one has ports (IPv6: not if it is the only one)
 *   ICMP errors       the tuple of what they quote, so that they reach the queue of that flow
 *   everything else   addresses
 */
#include <string.h>

#include <rte_byteorder.h>

#include "flow.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define TAGS_MAX 2
#define HEADERS_MAX 8

#define HOP_BY_HOP 0
#define ICMP 1
#define TCP 6
#define UDP 17
#define ROUTING 43
#define FRAGMENT 44
#define ICMPV6 58
#define DESTINATION 60

/* Bytes of an ICMP header before what it quotes. */
#define QUOTE_AT 8

static bool fold_ipv4(const uint8_t *ip, uint32_t length, bool quoted, uint32_t *fold);
static bool fold_ipv6(const uint8_t *ip, uint32_t length, bool quoted, uint32_t *fold);

static inline uint32_t read16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

/* Exclusive or of the 16-bit words of `bytes` (a multiple of 8) bytes. */
static inline uint32_t fold_words(const uint8_t *at, uint32_t bytes)
{
	uint64_t word, all = 0;

	for (uint32_t i = 0; i < bytes; i += sizeof(word)) {
		memcpy(&word, at + i, sizeof(word));
		all ^= word;
	}
	all ^= all >> 32;
	all ^= all >> 16;
	return rte_be_to_cpu_16((uint16_t)all);
}

static inline uint32_t fold_ports(const uint8_t *transport, uint32_t length)
{
	return length < 4 ? 0 : read16(transport) ^ read16(transport + 2);
}

/* Destination unreachable, source quench, time exceeded, parameter problem (RFC 792). */
static inline bool is_icmp_error(uint8_t type)
{
	return type == 3 || type == 4 || type == 11 || type == 12;
}

static bool fold_ipv4(const uint8_t *ip, uint32_t length, bool quoted, uint32_t *fold)
{
	uint32_t header, fragment;

	if (length < 20 || ip[0] >> 4 != 4)
		return false;
	header = (ip[0] & 15) * 4u;
	*fold = fold_words(ip + 12, 8);
	fragment = read16(ip + 6) & (quoted ? 0x1fff : 0x3fff);
	if (fragment != 0 || header < 20 || header > length)
		return true;
	if (ip[9] == TCP || ip[9] == UDP)
		*fold ^= fold_ports(ip + header, length - header);
	else if (ip[9] == ICMP && !quoted && length > header + QUOTE_AT &&
		 is_icmp_error(ip[header]))
		fold_ipv4(ip + header + QUOTE_AT, length - header - QUOTE_AT, true, fold);
	return true;
}

/* Errors: what they quote. Neighbor and listener discovery is for the queue that it came to. */
static bool fold_icmpv6(const uint8_t *icmp, uint32_t length, bool quoted, uint32_t *fold)
{
	if (quoted || length < 1)
		return true;
	if (icmp[0] < 128 && length > QUOTE_AT)
		fold_ipv6(icmp + QUOTE_AT, length - QUOTE_AT, true, fold);
	return !(icmp[0] >= 130 && icmp[0] <= 137) && icmp[0] != 143;
}

static bool fold_ipv6(const uint8_t *ip, uint32_t length, bool quoted, uint32_t *fold)
{
	uint32_t at = 40, after;
	uint8_t next;

	if (length < 40 || ip[0] >> 4 != 6)
		return false;
	*fold = fold_words(ip + 8, 32);
	next = ip[6];
	for (int i = 0; i < HEADERS_MAX; i++) {
		if (next == TCP || next == UDP) {
			*fold ^= fold_ports(ip + at, length - at);
			return true;
		}
		if (next == ICMPV6)
			return fold_icmpv6(ip + at, length - at, quoted, fold);
		if (next != HOP_BY_HOP && next != ROUTING && next != DESTINATION && next != FRAGMENT)
			return true;
		if (length - at < 8)
			return true;
		/* The offset and "more fragments"; in a quotation only the first has ports. */
		if (next == FRAGMENT && (read16(ip + at + 2) & (quoted ? 0xfff8 : 0xfff9)) != 0)
			return true;
		/* A fragment header has no length of its own. */
		after = at + (next == FRAGMENT ? 8 : ip[at + 1] * 8u + 8);
		next = ip[at];
		at = after;
		if (at > length)
			return true;
	}
	return true;
}

bool flow_fold(const uint8_t *frame, uint32_t length, uint32_t *fold)
{
	uint32_t at = 14, type;

	if (length < at)
		return false;
	type = read16(frame + 12);
	for (int tag = 0; tag < TAGS_MAX; tag++) {
		if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ)
			break;
		if (length < at + 4)
			return false;
		type = read16(frame + at + 2);
		at += 4;
	}
	if (type == ETHERTYPE_IPV4)
		return fold_ipv4(frame + at, length - at, false, fold);
	if (type == ETHERTYPE_IPV6)
		return fold_ipv6(frame + at, length - at, false, fold);
	return false;
}
