/**
 * What the network layer counts besides drops: per stack (`family`) and per interface (`nicFamily`).
 * @module
 */
import { CounterFamily } from '../base/counters.ts';

export const family: CounterFamily = new CounterFamily();
const stat = (name: string, meaning: string): number => family.add(name, meaning);

export const FRAMES_IN = stat('frames_in', 'Frames taken from all interfaces.');
export const BYTES_IN = stat('bytes_in', 'Bytes of those frames, Ethernet header included.');
export const FRAMES_OUT = stat(
  'frames_out',
  'Frames handed to all interfaces; a segmented one counts once.',
);
export const BYTES_OUT = stat('bytes_out', 'Bytes of those frames, Ethernet header included.');
export const DELIVERED = stat('delivered', 'Packets handed to a transport.');
/** One after the other, in the order of the codepoints. */
export const ECT1_IN = stat('ect1_in', 'Packets delivered with ECT(1).');
export const ECT0_IN = stat('ect0_in', 'Packets delivered with ECT(0).');
export const CE_IN = stat('ce_in', 'Packets delivered with CE, congestion experienced.');
export const FRAGMENTS_IN = stat('fragments_in', 'IP fragments received.');
export const REASSEMBLED = stat('reassembled', 'Datagrams put together from fragments.');
export const RELAYED_OUT = stat(
  'relayed_out',
  'Datagrams put together here and given to another queue.',
);
export const RELAYED_IN = stat('relayed_in', 'Datagrams that another queue has put together.');
export const FRAGMENTS_OUT = stat('fragments_out', 'IP fragments sent.');
export const ECHO_REPLIES = stat('echo_replies', 'Echo requests (ping) answered.');
export const ICMP_ERRORS_IN = stat(
  'icmp_errors_in',
  'ICMP errors received that quote a packet of ours.',
);
export const ICMP_ERRORS_OUT = stat('icmp_errors_out', 'ICMP errors sent.');
export const ARP_REQUESTS_OUT = stat('arp_requests_out', 'ARP requests sent.');
export const ARP_REPLIES_OUT = stat('arp_replies_out', 'ARP replies sent.');
export const NDP_SOLICITATIONS_OUT = stat('ndp_solicitations_out', 'Neighbor solicitations sent.');
export const NDP_ADVERTISEMENTS_OUT = stat(
  'ndp_advertisements_out',
  'Neighbor advertisements sent.',
);
export const GROUP_QUERIES_IN = stat(
  'group_queries_in',
  "Routers' questions who is in which group (IGMP, MLD).",
);
export const GROUP_REPORTS_OUT = stat(
  'group_reports_out',
  'Reports of the groups we are in (IGMP, MLD).',
);
export const NEIGHBORS_LEARNED = stat(
  'neighbors_learned',
  'Neighbors whose MAC address became known or changed.',
);
export const PATH_MTU_LOWERED = stat(
  'path_mtu_lowered',
  'Paths whose MTU was lowered by path MTU discovery.',
);

export const nicFamily: CounterFamily = new CounterFamily();
export const NIC_FRAMES_IN = nicFamily.add('frames_in', 'Frames taken from this interface.');
export const NIC_BYTES_IN = nicFamily.add('bytes_in', 'Bytes taken from this interface.');
export const NIC_FRAMES_OUT = nicFamily.add('frames_out', 'Frames handed to this interface.');
export const NIC_BYTES_OUT = nicFamily.add('bytes_out', 'Bytes handed to this interface.');

/** Counters of `family` that are sums of one of `nicFamily`; they are not kept per packet. */
export const SUMS: readonly (readonly [number, number])[] = [
  [FRAMES_IN, NIC_FRAMES_IN],
  [BYTES_IN, NIC_BYTES_IN],
  [FRAMES_OUT, NIC_FRAMES_OUT],
  [BYTES_OUT, NIC_BYTES_OUT],
];
