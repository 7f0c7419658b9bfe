/**
 * RST segments: the answer to what is for nobody, and the end of what the program aborts.
 * @module
 */
import * as Drop from '../base/drops.ts';
import { TX_TCP_SUM } from '../link/layout.gen.ts';
import { NO_SLOT } from '../net/egress.ts';
import type { Path } from '../net/path.ts';
import * as Wire from '../wire/tcp.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';

/** RST for the segment that is being received (RFC 9293 3.10.7.1), back to where it came from. */
export function reset(tcp: Tcp, seq: number, ack: number, flags: number): void {
  const p = tcp.packet!;
  if (!tcp.resetLimit.take(p, tcp.clock.ms)) {
    tcp.drops[Drop.TCP_RESET_LIMITED]! += 1;
    return;
  }
  const path = tcp.net.wayBack.of(p);
  if (path === null) {
    tcp.drops[Drop.IP_NO_ROUTE]! += 1;
    return;
  }
  const localPort = Wire.dstPort(tcp.view, p.at);
  const remotePort = Wire.srcPort(tcp.view, p.at);
  sendReset(tcp, path, localPort, remotePort, seq, ack, flags);
}

/** RST along a path. */
export function sendReset(
  tcp: Tcp,
  path: Path,
  localPort: number,
  remotePort: number,
  seq: number,
  ack: number,
  flags: number,
): void {
  const at = tcp.egress.begin(path);
  if (at === NO_SLOT) {
    tcp.drops[Drop.TX_NO_SLOT]! += 1;
    return;
  }
  Wire.write(
    tcp.view,
    at,
    localPort,
    remotePort,
    seq,
    ack,
    Wire.HEADER_LENGTH,
    Wire.RST | flags,
    0,
  );
  tcp.egress.commit(path, at, Wire.HEADER_LENGTH, TX_TCP_SUM, Wire.HEADER_LENGTH, 0, 0);
  tcp.stats[Stats.RESETS_OUT]! += 1;
  tcp.stats[Stats.SEGMENTS_OUT]! += 1;
}
