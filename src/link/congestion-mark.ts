/**
 * What a router with ECN does to a packet when its queue grows (RFC 3168 5): it marks it.
 * @module
 */

import * as Checksum from '../wire/checksum.ts';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPE_VLAN } from '../wire/ethernet.ts';
import * as Ipv4 from '../wire/ipv4.ts';

const CE = 3;

/**
 * A copy of the frame with CE in its IP header; null when its sender does not know ECN, or it is
 * no IP packet. The header's checksum follows (RFC 1624) when it `hasSum`.
 */
export function withMark(frame: Uint8Array, hasSum: boolean): Uint8Array | null {
  if (frame.length < 34) return null;
  const from = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const tagged = from.getUint16(12) === ETHERTYPE_VLAN;
  const type = from.getUint16(tagged ? 16 : 12);
  const at = tagged ? 18 : 14;
  if (type === ETHERTYPE_IPV4) {
    if ((from.getUint8(at + 1) & CE) === 0) return null;
    const marked = frame.slice();
    const view = new DataView(marked.buffer);
    const before = view.getUint16(at);
    view.setUint8(at + 1, view.getUint8(at + 1) | CE);
    if (hasSum) {
      const sum = Checksum.update(Ipv4.checksum(view, at), before, view.getUint16(at));
      Ipv4.setChecksum(view, at, sum);
    }
    return marked;
  }
  if (type !== ETHERTYPE_IPV6 || ((from.getUint16(at) >>> 4) & CE) === 0) return null;
  const marked = frame.slice();
  const view = new DataView(marked.buffer);
  view.setUint16(at, view.getUint16(at) | (CE << 4));
  return marked;
}
