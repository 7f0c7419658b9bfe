/**
 * The transport checksum of a received packet, for those the link did not check.   hot path
 * @module
 */
import * as Checksum from '../wire/checksum.ts';
import type { Packet } from './packet.ts';

/** Sum over pseudo header and transport packet, folded: 0xffff when the packet is whole. */
export function transportSum(view: DataView, packet: Packet): number {
  const pseudo = Checksum.pseudo(
    packet.src0,
    packet.src1,
    packet.src2,
    packet.src3,
    packet.dst0,
    packet.dst1,
    packet.dst2,
    packet.dst3,
    packet.protocol,
    packet.length,
  );
  return Checksum.fold(Checksum.sum(view, packet.at, packet.length, pseudo));
}
