/**
 * One datagram out: into a transmit slot where it fits, through fragments where it does not.
 * @module
 */
import { StackError } from '../base/errors.ts';
import { TX_UDP_SUM } from '../link/layout.gen.ts';
import { NO_SLOT } from '../net/egress.ts';
import type { Path } from '../net/path.ts';
import { type Arena, copy } from '../storage/arena.ts';
import * as Checksum from '../wire/checksum.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Wire from '../wire/udp.ts';
import type { UdpSocket } from './socket.ts';
import type { Udp } from './udp.ts';

/** The link has no room now; nothing was sent. */
export const NO_ROOM = -1;

/** Path.group of a broadcast address. */
const BROADCAST = 2;
/** Below this many bytes a loop beats subarray and set. */
const LOOP_BYTES = 64;

/** Sends along socket.path; returns the payload bytes sent, or NO_ROOM. Throws EMSGSIZE, EACCES. */
export function sendDatagram(
  udp: Udp,
  socket: UdpSocket,
  from: Uint8Array,
  start: number,
  end: number,
  port: number,
): number {
  const path = socket.path!;
  const size = end - start;
  if (size > (path.version === 4 ? Wire.PAYLOAD_MAX_V4 : Wire.PAYLOAD_MAX_V6)) {
    throw new StackError('EMSGSIZE', `send: ${size} bytes do not fit a datagram`);
  }
  if (path.group === BROADCAST && !socket.broadcast) {
    throw new StackError('EACCES', 'send: set `broadcast` to send to a broadcast address');
  }
  // Hops belong to the path, which others share: borrowed for this datagram.
  const hops = path.hops;
  path.hops = path.group === 1 ? socket.groupHops : socket.hops === 0 ? hops : socket.hops;
  const length = Wire.HEADER_LENGTH + size;
  const sent =
    length + path.headerLength <= path.mtu
      ? sendWhole(udp, path, socket.localPort, port, from, start, end)
      : sendInFragments(udp, path, socket.localPort, port, from, start, end);
  path.hops = hops;
  return sent ? size : NO_ROOM;
}

function sendWhole(
  udp: Udp,
  path: Path,
  srcPort: number,
  dstPort: number,
  from: Uint8Array,
  start: number,
  end: number,
): boolean {
  const { egress, core } = udp.net;
  const at = egress.begin(path);
  if (at === NO_SLOT) return false;
  const length = Wire.HEADER_LENGTH + end - start;
  Wire.write(core.view, at, srcPort, dstPort, length);
  copyIn(core.arena, at + Wire.HEADER_LENGTH, from, start, end);
  egress.commit(path, at, length, TX_UDP_SUM, Wire.HEADER_LENGTH, 0, 0);
  return true;
}

/** The link cannot sum what it sees in pieces, so the checksum is made here. */
function sendInFragments(
  udp: Udp,
  path: Path,
  srcPort: number,
  dstPort: number,
  from: Uint8Array,
  start: number,
  end: number,
): boolean {
  const { fragmentsOut, core } = udp.net;
  const at = fragmentsOut.scratchAt;
  const protocol = Ipv4.PROTOCOL_UDP;
  const length = Wire.HEADER_LENGTH + end - start;
  Wire.write(core.view, at, srcPort, dstPort, length);
  copyIn(core.arena, at + Wire.HEADER_LENGTH, from, start, end);
  const pseudo = Checksum.pseudo(
    path.local0,
    path.local1,
    path.local2,
    path.local3,
    path.remote0,
    path.remote1,
    path.remote2,
    path.remote3,
    protocol,
    length,
  );
  const checksum = Checksum.finish(Checksum.sum(core.view, at, length, pseudo));
  Wire.setChecksum(core.view, at, checksum === 0 ? 0xffff : checksum);
  return fragmentsOut.send(path, protocol, at, length);
}

export function copyIn(
  arena: Arena,
  to: number,
  from: Uint8Array,
  start: number,
  end: number,
): void {
  const { bytes } = arena;
  if (end - start <= LOOP_BYTES) {
    for (let i = start; i < end; i++) bytes[to + i - start] = from[i]!;
  } else {
    const inArena = arena.offsetOf(from);
    if (inArena >= 0) copy(arena, to, inArena + start, end - start);
    else bytes.set(start === 0 && end === from.length ? from : from.subarray(start, end), to);
  }
}
