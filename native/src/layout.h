/*
 * The layout of a ring: what a port and the stack above it share, as int32 words.
 *
 * This header is the one source. tools/gen-layout.mjs makes src/link/layout.gen.ts from it, and
 * the build fails when the two differ. Keep to the form `#define NAME value` with a comment above.
 *
 *   words  0            16              16 + RX                ... + TX            ... + SLOTS
 *          | counters   | RX_MAX x 8    | TX_MAX x 8           | SLOT_MAX          |
 *          |            | received      | to transmit          | free transmit slots
 */
#ifndef DPDK_NET_LAYOUT_H
#define DPDK_NET_LAYOUT_H

/* Frames received by the last exchange; written by the port. */
#define RX_COUNT 0
/* Descriptors to transmit; raised by the stack, back to 0 after an exchange. */
#define TX_COUNT 1
/* Free transmit slots; the stack takes from the end, the port fills up. */
#define SLOT_COUNT 2
/* The largest IP packet as of now, written by a port whose MTU may change; 0: it does not. */
#define LINK_MTU 3

/* Descriptors a ring holds. */
#define RX_MAX 64
#define TX_MAX 128
#define SLOT_MAX 256

/* Words in a descriptor. */
#define DESCRIPTOR_WORDS 8

/* Where the three tables begin, and where the ring ends, in words. */
#define RX_BASE 16
#define TX_BASE 528
#define SLOT_BASE 1552
#define RING_WORDS 1808

/* A received frame: byte offset of its Ethernet header in the arena, its length, RX_* flags, */
/* RSS hash, time of arrival in microseconds (0: unknown), VLAN tag when stripped. */
#define RX_AT 0
#define RX_LENGTH 1
#define RX_FLAGS 2
#define RX_HASH 3
#define RX_TIME 4
#define RX_VLAN 5
/* What the flow rule that matched the frame has marked it with. */
#define RX_MARK 6

/* The port's verdicts. None of a pair set: not looked at (fragments, other protocols). */
#define RX_IP_GOOD 1
#define RX_IP_BAD 2
#define RX_L4_GOOD 4
#define RX_L4_BAD 8
/* The VLAN tag was taken out of the frame and stands in RX_VLAN. */
#define RX_VLAN_STRIPPED 16
/* Several segments of one flow, joined by the port. */
#define RX_COALESCED 32
/* The hash in RX_HASH is valid. */
#define RX_HASH_VALID 64
/* The mark in RX_MARK is valid. */
#define RX_MARKED 128

/* A frame to transmit: its slot, byte offset of its Ethernet header, length, TX_* flags, */
/* header lengths l2 | l3 << 8 | l4 << 16, payload bytes per segment for TX_SEGMENT. */
#define TX_SLOT 0
#define TX_AT 1
#define TX_LENGTH 2
#define TX_FLAGS 3
#define TX_HEADERS 4
#define TX_MSS 5

/* What the port is to fill in. The checksum fields of the frame hold anything before. */
#define TX_IP_SUM 1
#define TX_TCP_SUM 2
#define TX_UDP_SUM 4
#define TX_IPV6 8
/* Cut the TCP payload into segments of TX_MSS bytes. */
#define TX_SEGMENT 16

/* The steering of a port with several queues (src/link/steering.ts, native/src/steer.h), words in */
/* the arena that all workers and the addon see: the 16 bits that the key repeats, the queues, the */
/* share of hashes that are sent astray (of 65536), how often an entry of the table has changed. */
#define STEER_KEY 0
#define STEER_QUEUES 1
#define STEER_ASTRAY 2
#define STEER_CHANGES 3
/* Entries of each table: the queue of a hash; the queue it is to have; frames on their way. */
#define STEER_ENTRIES 128
#define STEER_TABLE 16
#define STEER_WANTED 144
#define STEER_FLYING 272
#define STEER_WORDS 400
/* Added to the frames on their way while the entry's queue is being changed. */
#define STEER_CHANGING -2147483648

/* The key of a frame that flow rules look at, in words: addresses as in src/base/address.ts, the */
/* VLAN -1 where there is none, the Ethernet type behind all tags, version 0 for what is no IP. */
#define KEY_SRC_MAC 0
#define KEY_DST_MAC 2
#define KEY_TYPE 4
#define KEY_VLAN 5
#define KEY_VERSION 6
#define KEY_PROTOCOL 7
#define KEY_SRC 8
#define KEY_DST 12
#define KEY_WORDS 16
/* A flow rule (src/flow): the key's values and masks; first and last source and destination */
/* port, -1 and 65535 for any; what becomes of the frame; its mark; a bit for each queue. */
#define RULE_VALUE 0
#define RULE_MASK 16
#define RULE_PORTS 32
#define RULE_FATE 36
#define RULE_MARK 37
#define RULE_QUEUES 38
#define RULE_WORDS 42
#define FATE_PASS 0
#define FATE_DROP 1
#define NO_MARK -1

/* Bytes from a slot's offset to the place where the transport header starts: room for */
/* Ethernet with a VLAN tag (18), IPv6 (40) and to spare, after DPDK's headroom of 128. */
#define SLOT_TRANSPORT 192
/* Bytes that a slot has from its offset to its end, at least. */
#define SLOT_BYTES 2176

#endif
