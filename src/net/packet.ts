/**
 * The packet being received: one record per stack, filled by ingress, read by the transports.
 *
 * Valid until the next packet; copy what you keep. Addresses are four int32 words each
 * (base/address.ts), offsets are into the arena.
 * @module
 */

/** frameAt of a packet that was put together from fragments. */
export const NO_FRAME = -1;

export class Packet {
  /** Index of the descriptor it came in with; -1 when it was put together from fragments. */
  descriptor = -1;
  /** Index of the interface it came in on. */
  nic = 0;
  /** Offset of the Ethernet header, or NO_FRAME. */
  frameAt = NO_FRAME;
  /** 4 or 6. */
  version = 4;
  /** Offset of the IP header. */
  ipAt = 0;
  /** IP protocol number of the transport. */
  protocol = 0;
  /** Offset and length of the transport header with its payload; Ethernet padding is cut off. */
  at = 0;
  length = 0;
  /** Time to live or hop limit. */
  hops = 0;
  /** The ECN field: 0 not-ECT, 1 ECT(1), 2 ECT(0), 3 CE. */
  ecn = 0;
  /** 1 when the transport checksum is known to be right, 0 when the transport has to look. */
  checked = 0;
  /** 1 when the destination is a group (multicast or broadcast, on either layer). */
  group = 0;
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
}
