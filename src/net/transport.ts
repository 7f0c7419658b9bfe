/**
 * What the network layer asks of a transport (TCP, UDP): the two upcalls.
 * @module
 */
import type { Packet } from './packet.ts';

/** Why a packet of ours could not be delivered, whatever the family that said so. */
export const UNREACHABLE_NETWORK = 1;
export const UNREACHABLE_HOST = 2;
export const UNREACHABLE_PROTOCOL = 3;
export const UNREACHABLE_PORT = 4;
export const UNREACHABLE_PROHIBITED = 5;
export const TIME_EXCEEDED = 6;
export const PACKET_TOO_BIG = 7;
export const PARAMETER_PROBLEM = 8;

/** An ICMP error, as the transport that sent the quoted packet sees it. One record per stack. */
export class IcmpError {
  /** One of the constants above. */
  kind = 0;
  /** For PACKET_TOO_BIG the MTU that would fit, else 0. */
  mtu = 0;
  /** Offset of the quoted transport header in the arena, and how many of its bytes are quoted. */
  at = 0;
  length = 0;
  /** The addresses of the quoted packet: local is ours. */
  local0 = 0;
  local1 = 0;
  local2 = 0;
  local3 = 0;
  remote0 = 0;
  remote1 = 0;
  remote2 = 0;
  remote3 = 0;
}

export interface Transport {
  /** A whole packet (reassembled if it had to be) addressed to us. */
  receive(packet: Packet): void;
  /** A packet of ours failed on its way; `error` is valid during the call. */
  failed(error: IcmpError): void;
}
