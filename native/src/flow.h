/*
 * Which flow a frame belongs to, as the 16 bits from which a symmetric Toeplitz hash is made.
 *
 * With a key that repeats 16 bits the hash of any input is that of the exclusive or of its 16-bit
 * words (src/base/toeplitz.ts): so both directions of a flow have one hash, and making it is cheap.
 */
#ifndef DPDK_NET_FLOW_H
#define DPDK_NET_FLOW_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The fold of addresses and, for whole TCP segments and UDP datagrams, ports; an ICMP error has
 * that of the packet it quotes. False for what has no flow: ARP, neighbor discovery, not IP.
 */
bool flow_fold(const uint8_t *frame, uint32_t length, uint32_t *fold);

#endif
