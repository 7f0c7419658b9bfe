/**
 * ICMP errors about segments that a stack under test sent, as a router on the way would make them.
 * @module
 */
import { bigEndian, concat } from './bytes.ts';
import { icmp, tcp } from './packet.ts';

export interface QuotedSegment {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
}

const ETHERNET = 14;

/**
 * The frame of an ICMP error of either family from 10.0.0.2 (fd00::2) to 10.0.0.1 (fd00::1) about
 * a segment that the latter sent to the former. `mtu` goes where "packet too big" has it.
 */
export function icmpAbout(
  version: 4 | 6,
  type: number,
  code: number,
  mtu: number,
  quoted: QuotedSegment,
): Uint8Array {
  const [stack, peer] = version === 4 ? ['10.0.0.1', '10.0.0.2'] : ['fd00::1', 'fd00::2'];
  const quote = tcp({ src: stack!, dst: peer!, ...quoted }).subarray(ETHERNET);
  const body = concat(bigEndian(mtu, 4), quote.subarray(0, version === 4 ? 28 : 60));
  return icmp({ src: peer!, dst: stack!, type, code, body });
}
