/**
 * Which of an interface's addresses speaks to a neighbor or a far host.
 *
 * A small part of RFC 6724: an address whose prefix holds the destination goes first, and
 * link-local addresses talk to link-local ones only.
 * @module
 */
import { type Address, isV4 } from '../base/address.ts';
import type { Nic } from './nic.ts';

/** The best source on `nic` for the address, null when there is none of its family and scope. */
export function chooseSource(
  nic: Nic,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): Address | null {
  const version = isV4(w0, w1, w2) ? 4 : 6;
  const linkLocal = isLinkLocal(w0, w1, w2, w3);
  let best: Address | null = null;
  for (const prefix of nic.addresses) {
    const address = prefix.address;
    if (address.version !== version) continue;
    if (version === 6 && address.isLinkLocal !== linkLocal) continue;
    if (prefix.contains(w0, w1, w2, w3)) return address;
    best ??= address;
  }
  return best;
}

/** fe80::/10, ff02::/16 or 169.254.0.0/16. */
export function isLinkLocal(w0: number, w1: number, w2: number, w3: number): boolean {
  if (isV4(w0, w1, w2)) return w3 >>> 16 === 0xa9fe;
  return w0 >>> 22 === 0x3fa || w0 >>> 16 === 0xff02;
}

/** True when one of the interface's prefixes holds the address: it is on the link. */
export function isOnLink(nic: Nic, w0: number, w1: number, w2: number, w3: number): boolean {
  if (w0 >>> 22 === 0x3fa) return true;
  for (const prefix of nic.addresses) if (prefix.contains(w0, w1, w2, w3)) return true;
  return false;
}
