/**
 * Every reason for which the stack drops a frame, packet or segment, under one spelling.
 *
 * A drop is a named place, not a `return`: the same word is the counter, the trace line, the
 * metric's label and the entry in the docs. Import as a namespace: `Drop.IPV4_BAD_CHECKSUM`.
 * @module
 */
import { CounterFamily } from './counters.ts';

export const family: CounterFamily = new CounterFamily();
const drop = (name: string, meaning: string): number => family.add(name, meaning);

// Ethernet
export const ETHERNET_TOO_SHORT = drop(
  'ethernet_too_short',
  'The frame ends inside its Ethernet header.',
);
export const ETHERNET_NOT_FOR_US = drop(
  'ethernet_not_for_us',
  'The frame is addressed to another station.',
);
export const ETHERNET_UNKNOWN_TYPE = drop(
  'ethernet_unknown_type',
  'The EtherType is neither ARP, IPv4 nor IPv6.',
);
export const ETHERNET_BAD_SOURCE = drop(
  'ethernet_bad_source',
  'The source MAC address is a group address.',
);
export const VLAN_NOT_OURS = drop(
  'vlan_not_ours',
  'The 802.1Q tag names a VLAN this interface is not on.',
);

// ARP
export const ARP_MALFORMED = drop(
  'arp_malformed',
  'The ARP packet is too short or not Ethernet/IPv4.',
);
export const ARP_NOT_FOR_US = drop(
  'arp_not_for_us',
  'The ARP packet asks for an address that is not ours.',
);
export const ARP_UNSOLICITED = drop(
  'arp_unsolicited',
  'An ARP reply nobody asked for, from an unknown neighbor.',
);
export const ARP_CONFLICT = drop(
  'arp_conflict',
  'Another station claims one of our IPv4 addresses.',
);

// IPv4 and IPv6
export const IPV4_MALFORMED = drop(
  'ipv4_malformed',
  'The IPv4 header or its lengths do not fit the frame.',
);
export const IPV4_BAD_CHECKSUM = drop('ipv4_bad_checksum', 'The IPv4 header checksum is wrong.');
export const IPV4_BAD_OPTIONS = drop(
  'ipv4_bad_options',
  'The IPv4 options do not parse, or ask for source routing.',
);
export const IPV6_MALFORMED = drop(
  'ipv6_malformed',
  'The IPv6 header or its lengths do not fit the frame.',
);
export const IPV6_BAD_EXTENSION = drop(
  'ipv6_bad_extension',
  'An IPv6 extension header does not parse, or there are too many.',
);
export const IPV6_ROUTING_HEADER = drop(
  'ipv6_routing_header',
  'A type 0 routing header (RFC 5095), or one with segments left.',
);
export const IP_MARTIAN_SOURCE = drop(
  'ip_martian_source',
  'The source address cannot be a sender: group, loopback, none or our own.',
);
export const IP_NOT_FOR_US = drop('ip_not_for_us', 'The destination address is not ours.');
export const IP_UNKNOWN_PROTOCOL = drop(
  'ip_unknown_protocol',
  'No transport for this protocol number.',
);
export const IP_NO_ROUTE = drop('ip_no_route', 'No route to the destination.');
export const IP_TOO_BIG = drop(
  'ip_too_big',
  'The packet is larger than the path MTU and must not be fragmented.',
);

// Fragments
export const FRAGMENT_MALFORMED = drop(
  'fragment_malformed',
  'A fragment with an impossible offset or length.',
);
export const FRAGMENT_OVERLAP = drop(
  'fragment_overlap',
  'Fragments overlap (RFC 5722): the whole datagram is dropped.',
);
export const FRAGMENT_MIXED_ECN = drop(
  'fragment_mixed_ecn',
  'Fragments of one datagram, some marked (CE) and some that no router may mark.',
);
export const FRAGMENT_TIMEOUT = drop('fragment_timeout', 'A datagram was not complete in time.');
export const FRAGMENT_NO_ROOM = drop('fragment_no_room', 'The reassembly budget is used up.');
export const RELAY_FULL = drop(
  'relay_full',
  'A datagram put together from fragments is for another queue, and the ring there is full.',
);

// ICMP
export const ICMP_MALFORMED = drop('icmp_malformed', 'The ICMP message is too short for its type.');
export const ICMP_BAD_CHECKSUM = drop('icmp_bad_checksum', 'The ICMP checksum is wrong.');
export const ICMP_UNKNOWN_TYPE = drop(
  'icmp_unknown_type',
  'An ICMP type the stack does not act on.',
);
export const ICMP_RATE_LIMITED = drop(
  'icmp_rate_limited',
  'An ICMP error was not sent because of the rate limit.',
);
export const ICMP_NO_FLOW = drop(
  'icmp_no_flow',
  'An ICMP error quotes a packet of no flow of ours.',
);
export const ICMP_TO_GROUP = drop(
  'icmp_to_group',
  'An echo request to a group or broadcast address, left unanswered.',
);
export const ICMP_NO_PING = drop('icmp_no_ping', 'An echo reply that no ping socket asked for.');
export const PING_QUEUE_FULL = drop(
  'ping_queue_full',
  'A ping socket had no room for another reply or error.',
);
export const NDP_MALFORMED = drop(
  'ndp_malformed',
  'A Neighbor Discovery message fails the checks of RFC 4861.',
);
export const NDP_NOT_FOR_US = drop(
  'ndp_not_for_us',
  'A solicitation for an address that is not ours.',
);
export const NDP_UNSOLICITED = drop(
  'ndp_unsolicited',
  'An advertisement from a neighbor we do not know.',
);
export const NDP_CONFLICT = drop(
  'ndp_conflict',
  'Another station claims one of our IPv6 addresses.',
);

// Groups
export const GROUP_MALFORMED = drop(
  'group_malformed',
  'The IGMP or MLD message breaks a rule (RFC 3376 4, RFC 3810 6.2): lengths, checksum, hops.',
);

// Neighbors
export const NEIGHBOR_QUEUE_FULL = drop(
  'neighbor_queue_full',
  'Too many packets wait for the same unresolved neighbor.',
);
export const NEIGHBOR_UNREACHABLE = drop(
  'neighbor_unreachable',
  'The neighbor never answered; its waiting packets are dropped.',
);
export const NEIGHBOR_TABLE_FULL = drop(
  'neighbor_table_full',
  'The neighbor table is full of entries in use.',
);

// UDP
export const UDP_MALFORMED = drop(
  'udp_malformed',
  'The UDP header or its length does not fit the packet.',
);
export const UDP_BAD_CHECKSUM = drop('udp_bad_checksum', 'The UDP checksum is wrong.');
export const UDP_NO_SOCKET = drop('udp_no_socket', 'No socket is bound to the destination port.');
export const UDP_QUEUE_FULL = drop(
  'udp_queue_full',
  'The receiving socket does not read fast enough.',
);
export const UDP_NO_BUFFER = drop('udp_no_buffer', 'No memory for the datagram.');

// TCP
export const TCP_MALFORMED = drop(
  'tcp_malformed',
  'The TCP header or its options do not fit the packet.',
);
export const TCP_BAD_CHECKSUM = drop('tcp_bad_checksum', 'The TCP checksum is wrong.');
export const TCP_BAD_FLAGS = drop(
  'tcp_bad_flags',
  'A combination of flags no TCP sends, such as SYN with FIN.',
);
export const TCP_NOT_UNICAST = drop('tcp_not_unicast', 'A segment to or from a group address.');
export const TCP_NO_CONNECTION = drop(
  'tcp_no_connection',
  'A segment for no connection; answered with RST.',
);
export const TCP_SYN_QUEUE_FULL = drop(
  'tcp_syn_queue_full',
  "A SYN beyond the listener's bound on half-open connections, without SYN cookies.",
);
export const TCP_RESET_LIMITED = drop(
  'tcp_reset_limited',
  'A segment of no connection that got no RST because of the limit.',
);
export const TCP_ACCEPT_QUEUE_FULL = drop(
  'tcp_accept_queue_full',
  'The program accepts too slowly; the peer will try again.',
);
export const TCP_OUT_OF_WINDOW = drop(
  'tcp_out_of_window',
  'No part of the segment lies in the receive window.',
);
export const TCP_OLD_TIMESTAMP = drop(
  'tcp_old_timestamp',
  'A segment older than the last one in order, by its timestamp (PAWS).',
);
export const TCP_NO_TIMESTAMP = drop(
  'tcp_no_timestamp',
  'A segment without the timestamp that was agreed on.',
);
export const TCP_BAD_ACK = drop(
  'tcp_bad_ack',
  'The ACK acknowledges what was never sent, or is too old (RFC 5961).',
);
export const TCP_CHALLENGED = drop(
  'tcp_challenged',
  'A RST or SYN answered with a challenge ACK (RFC 5961).',
);
export const TCP_CHALLENGE_LIMITED = drop(
  'tcp_challenge_limited',
  'A challenge ACK was not sent because of its limit.',
);
export const TCP_NO_BUFFER = drop(
  'tcp_no_buffer',
  'No memory for the payload; the peer will send it again.',
);
export const TCP_TOO_MANY_HOLES = drop(
  'tcp_too_many_holes',
  'Out-of-order data beyond the bound on holes.',
);
export const TCP_AFTER_CLOSE = drop(
  'tcp_after_close',
  'Data for a connection its program has closed; answered with RST.',
);
export const TCP_NO_SLAB = drop('tcp_no_slab', 'The bound on connections is reached.');

// Transmit
export const TX_NO_SLOT = drop(
  'tx_no_slot',
  'No transmit slot was free for a packet that cannot wait.',
);
