/**
 * Addresses between the stack and Node's handles: texts, families and what stands for loopback.
 * @module
 */
import { Address } from '../base/address.ts';
import type { SocketName } from './natives.ts';

const LOOPBACK_V4 = Address.v4(127, 0, 0, 1);
const LOOPBACK_V6 = new Address(0, 0, 0, 1);

/** Parses a numeric address as Node hands it down, without its zone ('fe80::1%eth0'). */
export function parseAddress(text: string): Address | null {
  const zone = text.indexOf('%');
  return Address.tryParse(zone < 0 ? text : text.slice(0, zone));
}

/** Where to connect for `address`: the unspecified address means this host. */
export function destination(address: Address): Address {
  if (!address.isAny) return address;
  return address.version === 4 ? LOOPBACK_V4 : LOOPBACK_V6;
}

/** Fills in `out` as Node shows an address: on an IPv6 socket an IPv4 peer is ::ffff:a.b.c.d. */
export function fillName(out: SocketName, address: Address, port: number, v6: boolean): void {
  const text = address.toString();
  out.address = v6 && address.version === 4 ? `::ffff:${text}` : text;
  out.family = v6 ? 'IPv6' : 'IPv4';
  out.port = port;
}
