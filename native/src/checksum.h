/*
 * Internet checksums (RFC 1071) for devices that do not compute them.
 */
#ifndef DPDK_NET_CHECKSUM_H
#define DPDK_NET_CHECKSUM_H

#include <stdbool.h>
#include <stdint.h>

/* Fills in the sums that a transmit descriptor asks for (TX_IP_SUM, TX_TCP_SUM, TX_UDP_SUM). */
void checksum_fill(uint8_t *frame, uint32_t length, int32_t flags, uint32_t l2, uint32_t l3);

/*
 * Looks at a received frame and returns RX_IP_* and RX_L4_* verdicts; 0 where it can not tell.
 * `unfinished`: a sum over the pseudo header alone is good too. A kernel leaves it so when it
 * hands a frame to a packet socket instead of to a wire, whose hardware would have finished it.
 */
int32_t checksum_verdict(const uint8_t *frame, uint32_t length, bool unfinished);

/* Sum of the pseudo header: addresses, protocol, length of the transport (RFC 9293, RFC 8200). */
uint64_t checksum_pseudo_header(const uint8_t *ip, bool v6, uint8_t protocol, uint32_t length);

#endif
