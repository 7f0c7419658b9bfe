/**
 * ICMP errors about our segments (RFC 1122 4.2.3.9, RFC 5927).
 *
 * An attacker off the path can forge them, so only those count that quote a sequence number in
 * flight. Even then a synchronized connection is not ended: its program hears of the trouble, and
 * the error is named should the connection time out. A connection that is opening fails at once.
 * @module
 */
import * as Drop from '../base/drops.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { Nic } from '../net/nic.ts';
import {
  type IcmpError,
  PACKET_TOO_BIG,
  PARAMETER_PROBLEM,
  TIME_EXCEEDED,
  UNREACHABLE_HOST,
  UNREACHABLE_NETWORK,
  UNREACHABLE_PORT,
  UNREACHABLE_PROHIBITED,
  UNREACHABLE_PROTOCOL,
} from '../net/transport.ts';
import { HEADER_LENGTH } from '../wire/tcp.ts';
import { end } from './close.ts';
import type { Connection } from './connection.ts';
import { noteRefused } from './mtu-probe.ts';
import { payloadMss, sendMss } from './sizes.ts';
import { SYN_RECEIVED, SYN_SENT } from './state.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';

/** Ports and sequence number: what a router quotes at the least. */
const QUOTED_BYTES = 8;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
/** As many as a full segment, or a SYN with data, may have. */
const OPTIONS = 40;

export function connectionError(tcp: Tcp, error: IcmpError): void {
  const c = error.length < QUOTED_BYTES ? null : findQuoted(tcp, error);
  if (c === null) {
    tcp.drops[Drop.ICMP_NO_FLOW]! += 1;
    return;
  }
  if (error.kind === PACKET_TOO_BIG) return tooBig(tcp, c, error.mtu);
  if (c.state !== SYN_SENT && c.state !== SYN_RECEIVED) {
    if (c.socket !== null) c.socket.trouble(codeOf(error.kind));
    return;
  }
  tcp.stats[Stats.ATTEMPT_FAILS]! += 1;
  end(tcp, c, codeOf(error.kind));
}

/** The connection whose segment is quoted, when the quoted number is in flight. */
function findQuoted(tcp: Tcp, error: IcmpError): Connection | null {
  const localPort = tcp.view.getUint16(error.at);
  const remotePort = tcp.view.getUint16(error.at + 2);
  const seq = tcp.view.getInt32(error.at + 4);
  const path = tcp.net.paths.acquire(
    error.remote0,
    error.remote1,
    error.remote2,
    error.remote3,
    error.local0,
    error.local1,
    error.local2,
    error.local3,
  );
  if (path === null) return null;
  const c = tcp.findFlow(path, localPort, remotePort);
  tcp.net.paths.release(path);
  if (c === null) return null;
  const inFlight = ((seq - c.sndUna) | 0) >= 0 && ((seq - c.sndNxt) | 0) < 0;
  return inFlight ? c : null;
}

/** Path MTU discovery (RFC 1191, RFC 8201): smaller segments, and the lost one again. */
function tooBig(tcp: Tcp, c: Connection, mtu: number): void {
  if (mtu >= largestSent(c)) {
    tcp.drops[Drop.ICMP_NO_FLOW]! += 1;
    return;
  }
  tcp.net.paths.lowerMtu(c.path!, mtu);
  fitPath(tcp, c);
}

/** An interface has another MTU: connections over it send no more than fits. */
export function followMtu(tcp: Tcp, nic: Nic): void {
  for (const c of tcp.connections) {
    if (c.path !== null && c.path.nic === nic && c.mss > 0) fitPath(tcp, c);
  }
}

/** Smaller segments when the path does not take those any more. */
function fitPath(tcp: Tcp, c: Connection): void {
  const fits = payloadMss(c, sendMss(c.path!, 65535, tcp.options.minMss));
  if (fits >= c.mss) return;
  const before = c.mss;
  c.mss = fits;
  noteRefused(tcp, c, before);
  // What was too big never arrived; it goes again in smaller pieces.
  if (c.sndNxt !== c.sndUna) tcp.records.boardOf(c).loseAll();
  tcp.makeReady(c);
}

/**
 * Bytes of the largest IP packet that may be in flight: what fits through anywhere that way was not
 * too big (RFC 5927 7.2).
 */
function largestSent(c: Connection): number {
  const probe = c.probing === null ? 0 : c.probing.probe;
  const inSyn = c.opening === null || c.opening.fast === null ? 0 : c.opening.fast.sent;
  let payload = c.mss > probe ? c.mss : probe;
  if (inSyn > payload) payload = inSyn;
  const ip = c.version === 4 ? IPV4_HEADER : IPV6_HEADER;
  const options = c.tsOk === 1 || inSyn > 0 ? OPTIONS : 0;
  return ip + HEADER_LENGTH + options + payload;
}

function codeOf(kind: number): ErrorCode {
  switch (kind) {
    case UNREACHABLE_NETWORK:
      return 'ENETUNREACH';
    case UNREACHABLE_HOST:
    case TIME_EXCEEDED:
      return 'EHOSTUNREACH';
    case UNREACHABLE_PORT:
      return 'ECONNREFUSED';
    case UNREACHABLE_PROHIBITED:
      return 'EACCES';
    case UNREACHABLE_PROTOCOL:
    case PARAMETER_PROBLEM:
      return 'EPROTO';
    default:
      return 'EHOSTUNREACH';
  }
}
