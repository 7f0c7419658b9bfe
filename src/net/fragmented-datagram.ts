/**
 * A datagram of which fragments have come: whose it is, and what is there of it.
 * @module
 */
import { NO_BLOCK } from './blocks.ts';
import type { Packet } from './packet.ts';

/** The length of a datagram whose last fragment has not come. */
export const UNKNOWN = -1;
/** ECN field: congestion experienced. */
const CE = 3;

export class FragmentedDatagram {
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  id = 0;
  version = 4;
  /** IPv4: part of the key. IPv6: what the first fragment says (RFC 8200 4.5). */
  protocol = 0;
  /** Payload pieces in order of offset. */
  first = NO_BLOCK;
  last = NO_BLOCK;
  pieces = 0;
  received = 0;
  /** Payload length, once the last fragment has come. */
  total = UNKNOWN;
  /** Headers of the first fragment, and where in them IPv6 names the payload's protocol. */
  header = NO_BLOCK;
  nextField = 0;
  hops = 0;
  /** The ECN field of the whole, and a bit for each that its fragments came with. */
  ecn = 0;
  ecnSeen = 0;
  condemned = false;
  deadline = 0;
}

/**
 * RFC 3168 5.3: a mark on one fragment is a mark on the whole; false where fragments of a sender
 * that does not know ECN carry one, so that it would get lost.
 */
export function mergeEcn(datagram: FragmentedDatagram, field: number): boolean {
  datagram.ecnSeen |= 1 << field;
  const seen = datagram.ecnSeen;
  const isMarked = (seen & (1 << CE)) !== 0;
  if (isMarked && (seen & 1) !== 0) return false;
  if (isMarked) datagram.ecn = CE;
  else datagram.ecn = (seen & 1) !== 0 ? 0 : field;
  return true;
}

export function isSameSource(datagram: FragmentedDatagram, packet: Packet): boolean {
  return (
    datagram.src3 === packet.src3 &&
    datagram.src2 === packet.src2 &&
    datagram.src1 === packet.src1 &&
    datagram.src0 === packet.src0
  );
}
