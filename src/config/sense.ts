/**
 * What a schema can not say: whether the values make sense together.
 * @module
 */
import { Address, type Prefix } from '../base/address.ts';
import type { Config } from './config.ts';
import type { Problem } from './problems.ts';
import type { Document } from './toml.ts';
import { placeOf } from './validate.ts';

/** IPv6 does not work over less (RFC 8200 5). */
const IPV6_LEAST_MTU = 1280;

/** Everything that is well formed and yet can not work. */
export function checkSense(config: Config, document: Document): Problem[] {
  const problems: Problem[] = [];
  const report = (pointer: string, message: string): void => {
    problems.push({ place: placeOf(document, pointer), message });
  };
  checkDevice(config, report);
  checkAddresses(config, document, report);
  checkGateways(config, document, report);
  const { network, queues, tap, tcp } = config;
  if (tap.hostAddresses.length > 0 && !config.dpdk.vdev.startsWith('net_tap')) {
    report('/tap/host_ip', '[tap] host_ip is for a net_tap device: vdev = "net_tap0,iface=dtap0"');
  }
  const hasV6 = network.addresses.some(({ address }) => address.version === 6);
  if (hasV6 && network.mtu !== 0 && network.mtu < IPV6_LEAST_MTU) {
    report(
      '/network/mtu',
      `[network] mtu = ${network.mtu} is too small: IPv6 needs at least ${IPV6_LEAST_MTU}`,
    );
  }
  const mac = network.mac;
  if (mac !== null && ((mac[0]! & 1) === 1 || mac.every((byte) => byte === 0))) {
    report(
      '/network/mac',
      '[network] mac is no station: the first byte must be even, and not all may be zero',
    );
  }
  if (queues.count > 1) {
    report(
      '/queues/count',
      `[queues] count = ${queues.count}: this version serves one queue; set it to 1`,
    );
  }
  if (tcp.firstEphemeralPort > tcp.lastEphemeralPort) {
    report('/tcp/first_ephemeral_port', '[tcp] first_ephemeral_port is above last_ephemeral_port');
  }
  if (tcp.minRtoMs > tcp.maxRtoMs) report('/tcp/min_rto', '[tcp] min_rto is above max_rto');
  const buffers = tcp.receiveBufferBytes + tcp.sendBufferBytes;
  if (buffers > config.dpdk.memory) {
    report(
      '/tcp',
      '[tcp] buffers of one connection do not fit in [dpdk] memory: make them smaller or it larger',
    );
  }
  return problems;
}

type Report = (pointer: string, message: string) => void;

function checkDevice({ dpdk, network }: Config, report: Report): void {
  if (dpdk.port !== '' && dpdk.vdev !== '') {
    report('/dpdk/vdev', '[dpdk] has both port and vdev: one device, please');
  }
  if (dpdk.port === '' && dpdk.vdev === '') {
    report(
      '/dpdk',
      '[dpdk] needs a device: port = "0000:01:00.0", vdev = "net_tap0,iface=dtap0" or port = "loopback"',
    );
  }
  if (network.addresses.length === 0 && dpdk.port !== 'loopback') {
    report('/network', '[network] needs ip, such as ip = "10.0.0.2/24"');
  }
}

function checkAddresses({ network }: Config, document: Document, report: Report): void {
  const seen: Address[] = [];
  for (const [index, prefix] of network.addresses.entries()) {
    const pointer = pointerOf(document, '/network/ip', index);
    const { address } = prefix;
    const refuse = (why: string): void => report(pointer, `[network] ip ${prefix}: ${why}`);
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

function checkGateways({ network }: Config, document: Document, report: Report): void {
  const families: number[] = [];
  for (const [index, gateway] of network.gateways.entries()) {
    const pointer = pointerOf(document, '/network/gateway', index);
    const refuse = (why: string): void => report(pointer, `[network] gateway ${gateway}: ${why}`);
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
