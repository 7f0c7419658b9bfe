/**
 * For tests: what a link must do to talk to a kernel, checked with raw frames. The kernel drops
 * what has a wrong checksum, so an answer proves the sums.
 * @module
 */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import * as L from '../link/layout.gen.ts';
import type { Link } from '../link/link.ts';
import { macText } from '../testing/bytes.ts';
import * as Packet from '../testing/packet.ts';
import { receiveOne, sendUnsummed } from './raw-frames.ts';

export interface Ends {
  readonly link: Link;
  /** The kernel's address on the wire. */
  readonly kernelMac: string;
}

const OURS = { v4: '10.9.9.2', v6: 'fd09::2' };
const KERNEL = { v4: '10.9.9.1', v6: 'fd09::1' };
const PORT = 4000;

/** Lines for `ip` that make the kernel the peer: no address resolution of ours is needed. */
export function kernelSetup(iface: string, link: Link): string[] {
  const mac = macText(link.mac);
  return [
    `link set ${iface} up`,
    `addr add ${KERNEL.v4}/24 dev ${iface}`,
    `addr add ${KERNEL.v6}/64 dev ${iface} nodad`,
    `neigh replace ${OURS.v4} lladdr ${mac} dev ${iface} nud permanent`,
    `neigh replace ${OURS.v6} lladdr ${mac} dev ${iface} nud permanent`,
  ];
}

type Family = 'v4' | 'v6';

function addresses(ends: Ends, family: Family): Packet.IpFields {
  const srcMac = macText(ends.link.mac);
  return { srcMac, dstMac: ends.kernelMac, src: OURS[family], dst: KERNEL[family] };
}

/** A UDP datagram with sums filled by the port arrives in a socket of the kernel. */
export async function kernelReceivesUdp(ends: Ends, family: Family): Promise<void> {
  const socket = await kernelSocket(family);
  const payload = `a datagram of odd length over ${family}`;
  const fields = { ...addresses(ends, family), srcPort: 5000, dstPort: PORT, payload };
  const arrived = once(socket, 'message', { signal: AbortSignal.timeout(100_000) });
  sendUnsummed(ends.link, Packet.udp(fields));
  await receiveOne(ends.link, () => true, 50);
  const [bytes] = (await arrived) as [Buffer];
  assert.equal(bytes.toString(), payload);
  socket.close();
}

/** What the kernel sends arrives whole, with a verdict of good checksums. */
export async function kernelSendsUdp(ends: Ends, family: Family): Promise<void> {
  const socket = await kernelSocket(family);
  const payload = 'x'.repeat(1001);
  socket.send(payload, 5000, OURS[family]);
  const frame = await receiveOne(ends.link, ({ bytes }) => bytes.length > 1001);
  assert.ok(frame !== null, 'nothing came');
  assert.ok((frame.flags & L.RX_L4_GOOD) !== 0, `flags ${frame.flags}`);
  assert.equal(Buffer.from(frame.bytes.subarray(-1001)).toString('latin1'), payload);
  socket.close();
}

/** A SYN to a closed port is answered by a RST: its TCP sum was right. */
export async function kernelAnswersTcp(ends: Ends, family: Family): Promise<void> {
  const options = { mss: 1460, sackPermitted: true, timestamps: [1, 0] as const, windowScale: 7 };
  const fields = {
    ...addresses(ends, family),
    srcPort: 5001,
    dstPort: 9,
    seq: 77,
    flags: 'SYN',
    options,
  };
  sendUnsummed(ends.link, Packet.tcp(fields));
  const l3 = family === 'v4' ? 20 : 40;
  const isReset = (bytes: Uint8Array): boolean =>
    bytes[family === 'v4' ? 23 : 20] === 6 && (bytes[14 + l3 + 13]! & 4) !== 0;
  const answer = await receiveOne(ends.link, ({ bytes }) => isReset(bytes));
  assert.ok(answer !== null, 'no RST came');
  assert.ok((answer.flags & L.RX_L4_GOOD) !== 0, `flags ${answer.flags}`);
}

/** All of the above, both families. */
export async function kernelTalks(ends: Ends): Promise<void> {
  for (const family of ['v4', 'v6'] as const) {
    await kernelReceivesUdp(ends, family);
    await kernelSendsUdp(ends, family);
    await kernelAnswersTcp(ends, family);
  }
}

async function kernelSocket(family: Family): Promise<Socket> {
  const socket = createSocket(family === 'v4' ? 'udp4' : 'udp6');
  socket.bind(PORT, KERNEL[family]);
  await once(socket, 'listening');
  return socket;
}
