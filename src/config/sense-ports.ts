/**
 * Whether the addresses and gateways of a port make sense together.
 * @module
 */
import { Address, type Prefix } from '../base/address.ts';
import type { PortConfig } from './config.ts';
import type { Document } from './toml.ts';

/** Takes what is wrong, and the JSON pointer of what is to blame. */
export type Report = (pointer: string, message: string) => void;

/** Where the keys of a port are, and how messages call that place. */
export interface PortPlace {
  /** Of the table with ip, gateway, mtu and mac. */
  readonly network: string;
  /** Of the key with the host's addresses. */
  readonly hostIp: string;
  /** '[network]' or '[[ports]] 1'. */
  readonly title: string;
  readonly hostTitle: string;
}

/** IPv6 does not work over less (RFC 8200 5). */
const IPV6_LEAST_MTU = 1280;

/** All but the device itself. */
export function checkPort(
  port: PortConfig,
  place: PortPlace,
  document: Document,
  report: Report,
): void {
  const { network, device, hostAddresses } = port;
  if (network.addresses.length === 0 && device !== 'loopback') {
    report(place.network, `${place.title} needs ip, such as ip = "10.0.0.2/24"`);
  }
  checkAddresses(port, place, document, report);
  checkGateways(port, place, document, report);
  for (const [index, group] of network.groups.entries()) {
    if (group.isMulticast) continue;
    report(
      pointerOf(document, `${place.network}/join`, index),
      `${place.title} join ${group}: this is no group; they are 224.0.0.0/4 and ff00::/8`,
    );
  }
  if (hostAddresses.length > 0 && !device.startsWith('net_tap')) {
    report(
      place.hostIp,
      `${place.hostTitle} host_ip is for a net_tap device: vdev = "net_tap0,iface=dtap0"`,
    );
  }
  const hasV6 = network.addresses.some(({ address }) => address.version === 6);
  if (hasV6 && network.mtu !== 0 && network.mtu < IPV6_LEAST_MTU) {
    report(
      `${place.network}/mtu`,
      `${place.title} mtu = ${network.mtu} is too small: IPv6 needs at least ${IPV6_LEAST_MTU}`,
    );
  }
  const { mac } = network;
  if (mac !== null && ((mac[0]! & 1) === 1 || mac.every((byte) => byte === 0))) {
    report(
      `${place.network}/mac`,
      `${place.title} mac is no station: the first byte must be even, and not all may be zero`,
    );
  }
}

function checkAddresses(
  { network }: PortConfig,
  place: PortPlace,
  document: Document,
  report: Report,
): void {
  const seen: Address[] = [];
  for (const [index, prefix] of network.addresses.entries()) {
    const pointer = pointerOf(document, `${place.network}/ip`, index);
    const { address } = prefix;
    const refuse = (why: string): void => report(pointer, `${place.title} ip ${prefix}: ${why}`);
    if (seen.some((other) => other.equals(address))) refuse('this address is there twice');
    seen.push(address);
    if (address.isAny || address.isMulticast) refuse('no host can have this address');
    else if (address.isLoopback)
      refuse('loopback addresses are there by themselves; name one of the network');
    else if (address.version === 4 && prefix.length < 31) checkHostPart(prefix, refuse);
  }
}

/** An IPv4 host is neither its network's first address nor its last. */
function checkHostPart({ address, length }: Prefix, refuse: (why: string) => void): void {
  const hostMask = length === 0 ? -1 : (1 << (32 - length)) - 1;
  const host = address.w3 & hostMask;
  if (host !== 0 && host !== hostMask) return;
  const first = new Address(0, 0, address.w2, (address.w3 & ~hostMask) | 1);
  const what =
    host === 0 ? 'the address of the network itself' : 'the broadcast address of the network';
  refuse(`this is ${what}; hosts start at ${first}/${length}`);
}

function checkGateways(
  { network }: PortConfig,
  place: PortPlace,
  document: Document,
  report: Report,
): void {
  const families: number[] = [];
  for (const [index, gateway] of network.gateways.entries()) {
    const pointer = pointerOf(document, `${place.network}/gateway`, index);
    const refuse = (why: string): void =>
      report(pointer, `${place.title} gateway ${gateway}: ${why}`);
    if (families.includes(gateway.version)) refuse(`a second gateway for IPv${gateway.version}`);
    families.push(gateway.version);
    if (network.addresses.some(({ address }) => address.equals(gateway)))
      refuse('this is our own address');
    const { w0, w1, w2, w3 } = gateway;
    const near = network.addresses.some((prefix) => prefix.contains(w0, w1, w2, w3));
    if (!near && !(gateway.version === 6 && gateway.isLinkLocal)) {
      const networks = network.addresses.filter(
        ({ address }) => address.version === gateway.version,
      );
      refuse(
        `it is on none of our networks (${networks.join(', ') || `no IPv${gateway.version} address`})`,
      );
    }
  }
}

/** A single value stands for itself, a list's elements have places of their own. */
function pointerOf(document: Document, pointer: string, index: number): string {
  const element = `${pointer}/${index}`;
  return document.values.has(element) ? element : pointer;
}
