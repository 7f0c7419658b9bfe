/**
 * How connections begin: a record, keyed and in the table, in state CLOSED.
 * @module
 */
import * as Drop from '../base/drops.ts';
import type { Packet } from '../net/packet.ts';
import type { Path } from '../net/path.ts';
import * as Wire from '../wire/tcp.ts';
import { recycleTimeWait } from './close.ts';
import type { Connection } from './connection.ts';
import { beginOpening } from './parts.ts';
import type { Tcp } from './tcp.ts';

/** A connection record in state CLOSED, keyed and in the table; null at the bound. */
export function create(
  tcp: Tcp,
  path: Path,
  localPort: number,
  remotePort: number,
): Connection | null {
  let c = tcp.records.takeConnection();
  if (c === null && recycleTimeWait(tcp)) c = tcp.records.takeConnection();
  if (c === null) {
    tcp.drops[Drop.TCP_NO_SLAB]! += 1;
    return null;
  }
  c.prepare(path, localPort, remotePort);
  const iss = tcp.secrets.isn(path, localPort, remotePort, tcp.clock.ms);
  beginOpening(c, iss);
  c.sndUna = iss;
  c.sndNxt = iss;
  c.sndSml = iss;
  c.sndBase = (iss + 1) | 0;
  c.tsOffset = tcp.secrets.timestampOffset(path);
  c.rtoMs = tcp.options.initialRtoMs;
  c.congestion = tcp.congestion;
  c.noDelay = tcp.options.noDelay ? 1 : 0;
  c.lastSentAt = tcp.clock.ms;
  tcp.flows.add(c);
  return c;
}

/** A connection for the SYN in `packet`; null, and counted, when there can be none. */
export function adopt(tcp: Tcp, packet: Packet): Connection | null {
  const path = tcp.net.paths.acquire(
    packet.src0,
    packet.src1,
    packet.src2,
    packet.src3,
    packet.dst0,
    packet.dst1,
    packet.dst2,
    packet.dst3,
  );
  if (path === null) {
    tcp.drops[Drop.IP_NO_ROUTE]! += 1;
    return null;
  }
  const at = packet.at;
  const c = create(tcp, path, Wire.dstPort(tcp.view, at), Wire.srcPort(tcp.view, at));
  if (c === null) tcp.net.paths.release(path);
  return c;
}
