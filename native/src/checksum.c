/*
 * The software half of the checksum offload: fill on transmit, verdict on receive.
 *
 * A verdict is given for an IPv4 header and for TCP and UDP directly behind IPv4 or IPv6. For
 * fragments, extension headers, other protocols and frames whose lengths do not fit, none: the
 * stack above looks itself.
 */
#include <string.h>

#include <rte_byteorder.h>

#include "checksum.h"
#include "layout.h"
#include "sum.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
/* More fragments, and the fragment offset. */
#define FRAGMENT_BITS 0x3fff

static inline uint32_t read16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static inline void write16(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
}

uint64_t checksum_pseudo_header(const uint8_t *ip, bool v6, uint8_t protocol, uint32_t length)
{
	uint64_t sum = v6 ? sum_bytes(ip + 8, 32, 0) : sum_bytes(ip + 12, 8, 0);

	return sum + rte_cpu_to_be_16(protocol) + rte_cpu_to_be_32(length);
}

void checksum_fill(uint8_t *frame, uint32_t length, int32_t flags, uint32_t l2, uint32_t l3)
{
	uint8_t *ip = frame + l2;
	uint8_t *l4 = ip + l3;
	uint32_t l4_length = length - l2 - l3;
	bool v6 = (flags & TX_IPV6) != 0;
	bool tcp = (flags & TX_TCP_SUM) != 0;
	uint8_t *field;
	uint16_t sum;

	if ((flags & TX_IP_SUM) != 0 && !v6) {
		write16(ip + 10, 0);
		write16(ip + 10, (uint16_t)~sum_fold(sum_bytes(ip, l3, 0)));
	}
	if ((flags & (TX_TCP_SUM | TX_UDP_SUM)) == 0)
		return;
	field = l4 + (tcp ? 16 : 6);
	write16(field, 0);
	sum = (uint16_t)~sum_fold(sum_bytes(
		l4, l4_length,
		checksum_pseudo_header(ip, v6, tcp ? PROTOCOL_TCP : PROTOCOL_UDP, l4_length)));
	/* RFC 768: a computed zero is sent as all ones, zero means no checksum. */
	write16(field, sum == 0 && !tcp ? 0xffff : sum);
}

static int32_t transport_verdict(const uint8_t *ip, bool v6, uint8_t protocol, const uint8_t *l4,
				 uint32_t length, bool unfinished)
{
	uint32_t field = protocol == PROTOCOL_TCP ? 16 : 6;
	uint64_t pseudo;
	uint16_t found;

	if (protocol == PROTOCOL_TCP) {
		if (length < 20)
			return 0;
	} else if (protocol == PROTOCOL_UDP) {
		if (length < 8 || read16(l4 + 4) < 8 || read16(l4 + 4) > length)
			return 0;
		length = read16(l4 + 4);
		/* No checksum: right for IPv4, for IPv6 the stack decides (RFC 6935). */
		if (read16(l4 + 6) == 0)
			return v6 ? 0 : RX_L4_GOOD;
	} else {
		return 0;
	}
	pseudo = checksum_pseudo_header(ip, v6, protocol, length);
	if (sum_fold(sum_bytes(l4, length, pseudo)) == 0xffff)
		return RX_L4_GOOD;
	memcpy(&found, l4 + field, sizeof(found));
	return unfinished && found == sum_fold(pseudo) ? RX_L4_GOOD : RX_L4_BAD;
}

static int32_t ipv4_verdict(const uint8_t *ip, uint32_t available, bool unfinished)
{
	uint32_t header, total;

	if (available < 20 || ip[0] >> 4 != 4)
		return 0;
	header = (ip[0] & 15) * 4u;
	total = read16(ip + 2);
	if (header < 20 || total < header || total > available)
		return 0;
	if (sum_fold(sum_bytes(ip, header, 0)) != 0xffff)
		return RX_IP_BAD;
	if ((read16(ip + 6) & FRAGMENT_BITS) != 0)
		return RX_IP_GOOD;
	return RX_IP_GOOD |
	       transport_verdict(ip, false, ip[9], ip + header, total - header, unfinished);
}

static int32_t ipv6_verdict(const uint8_t *ip, uint32_t available, bool unfinished)
{
	uint32_t payload;

	if (available < 40 || ip[0] >> 4 != 6)
		return 0;
	payload = read16(ip + 4);
	if (payload > available - 40)
		return 0;
	return transport_verdict(ip, true, ip[6], ip + 40, payload, unfinished);
}

int32_t checksum_verdict(const uint8_t *frame, uint32_t length, bool unfinished)
{
	uint32_t at = 14;
	uint32_t type;

	if (length < 18)
		return 0;
	type = read16(frame + 12);
	if (type == ETHERTYPE_VLAN) {
		type = read16(frame + 16);
		at = 18;
	}
	if (type == ETHERTYPE_IPV4)
		return ipv4_verdict(frame + at, length - at, unfinished);
	if (type == ETHERTYPE_IPV6)
		return ipv6_verdict(frame + at, length - at, unfinished);
	return 0;
}
