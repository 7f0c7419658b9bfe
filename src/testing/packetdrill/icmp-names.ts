/**
 * ICMP errors as packetdrill calls them.
 * @module
 */

const TYPES: Readonly<Record<string, number>> = {
  '4.unreachable': 3,
  '4.source_quench': 4,
  '4.time_exceeded': 11,
  '4.parameter_problem': 12,
  '6.unreachable': 1,
  '6.packet_too_big': 2,
  '6.time_exceeded': 3,
  '6.parameter_problem': 4,
};

/** By version and type: names of the codes. */
export const ICMP_CODES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  '4.3': {
    net_unreachable: 0,
    host_unreachable: 1,
    protocol_unreachable: 2,
    port_unreachable: 3,
    frag_needed: 4,
    source_route_failed: 5,
    net_unknown: 6,
    host_unknown: 7,
    host_isolated: 8,
    net_prohibited: 9,
    host_prohibited: 10,
    net_unreachable_for_tos: 11,
    host_unreachable_for_tos: 12,
    communication_prohibited: 13,
  },
  '4.11': { exceeded_in_transit: 0, exceeded_reassembly: 1 },
  '6.1': {
    no_route: 0,
    admin_prohibited: 1,
    beyond_scope: 2,
    address_unreachable: 3,
    port_unreachable: 4,
  },
};

/** The type's number, -1 when there is none of that name. */
export function icmpType(version: 4 | 6, name: string): number {
  return TYPES[`${version}.${name}`] ?? -1;
}
