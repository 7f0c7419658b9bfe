// Generated from native/src/layout.h by tools/gen-layout.mjs. Do not edit.

// Frames received by the last exchange; written by the port.
export const RX_COUNT = 0;
// Descriptors to transmit; raised by the stack, back to 0 after an exchange.
export const TX_COUNT = 1;
// Free transmit slots; the stack takes from the end, the port fills up.
export const SLOT_COUNT = 2;
// The largest IP packet as of now, written by a port whose MTU may change; 0: it does not.
export const LINK_MTU = 3;

// Descriptors a ring holds.
export const RX_MAX = 64;
export const TX_MAX = 128;
export const SLOT_MAX = 256;

// Words in a descriptor.
export const DESCRIPTOR_WORDS = 8;

// Where the three tables begin, and where the ring ends, in words.
export const RX_BASE = 16;
export const TX_BASE = 528;
export const SLOT_BASE = 1552;
export const RING_WORDS = 1808;

// A received frame: byte offset of its Ethernet header in the arena, its length, RX_* flags,
// RSS hash, time of arrival in microseconds (0: unknown), VLAN tag when stripped.
export const RX_AT = 0;
export const RX_LENGTH = 1;
export const RX_FLAGS = 2;
export const RX_HASH = 3;
export const RX_TIME = 4;
export const RX_VLAN = 5;
// What the flow rule that matched the frame has marked it with.
export const RX_MARK = 6;

// The port's verdicts. None of a pair set: not looked at (fragments, other protocols).
export const RX_IP_GOOD = 1;
export const RX_IP_BAD = 2;
export const RX_L4_GOOD = 4;
export const RX_L4_BAD = 8;
// The VLAN tag was taken out of the frame and stands in RX_VLAN.
export const RX_VLAN_STRIPPED = 16;
// Several segments of one flow, joined by the port.
export const RX_COALESCED = 32;
// The hash in RX_HASH is valid.
export const RX_HASH_VALID = 64;
// The mark in RX_MARK is valid.
export const RX_MARKED = 128;

// A frame to transmit: its slot, byte offset of its Ethernet header, length, TX_* flags,
// header lengths l2 | l3 << 8 | l4 << 16, payload bytes per segment for TX_SEGMENT.
export const TX_SLOT = 0;
export const TX_AT = 1;
export const TX_LENGTH = 2;
export const TX_FLAGS = 3;
export const TX_HEADERS = 4;
export const TX_MSS = 5;

// What the port is to fill in. The checksum fields of the frame hold anything before.
export const TX_IP_SUM = 1;
export const TX_TCP_SUM = 2;
export const TX_UDP_SUM = 4;
export const TX_IPV6 = 8;
// Cut the TCP payload into segments of TX_MSS bytes.
export const TX_SEGMENT = 16;

// The steering of a port with several queues (src/link/steering.ts, native/src/steer.h), words in
// the arena that all workers and the addon see: the 16 bits that the key repeats, the queues, the
// share of hashes that are sent astray (of 65536), how often an entry of the table has changed.
export const STEER_KEY = 0;
export const STEER_QUEUES = 1;
export const STEER_ASTRAY = 2;
export const STEER_CHANGES = 3;
// Entries of each table: the queue of a hash; the queue it is to have; frames on their way.
export const STEER_ENTRIES = 128;
export const STEER_TABLE = 16;
export const STEER_WANTED = 144;
export const STEER_FLYING = 272;
export const STEER_WORDS = 400;
// Added to the frames on their way while the entry's queue is being changed.
export const STEER_CHANGING = -2147483648;

// The key of a frame that flow rules look at, in words: addresses as in src/base/address.ts, the
// VLAN -1 where there is none, the Ethernet type behind all tags, version 0 for what is no IP.
export const KEY_SRC_MAC = 0;
export const KEY_DST_MAC = 2;
export const KEY_TYPE = 4;
export const KEY_VLAN = 5;
export const KEY_VERSION = 6;
export const KEY_PROTOCOL = 7;
export const KEY_SRC = 8;
export const KEY_DST = 12;
export const KEY_WORDS = 16;
// A flow rule (src/flow): the key's values and masks; first and last source and destination
// port, -1 and 65535 for any; what becomes of the frame; its mark; a bit for each queue.
export const RULE_VALUE = 0;
export const RULE_MASK = 16;
export const RULE_PORTS = 32;
export const RULE_FATE = 36;
export const RULE_MARK = 37;
export const RULE_QUEUES = 38;
export const RULE_WORDS = 42;
export const FATE_PASS = 0;
export const FATE_DROP = 1;
export const NO_MARK = -1;

// Bytes from a slot's offset to the place where the transport header starts: room for
// Ethernet with a VLAN tag (18), IPv6 (40) and to spare, after DPDK's headroom of 128.
export const SLOT_TRANSPORT = 192;
// Bytes that a slot has from its offset to its end, at least.
export const SLOT_BYTES = 2176;
