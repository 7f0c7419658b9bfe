/**
 * Opening without memory: a SYN is answered with a SYN cookie, and the ACK that brings the cookie
 * back makes the connection (RFC 4987 3.6).   hot path
 *
 * Options other than the MSS survive only with timestamps (syn-cookies.ts), so without them they
 * are not offered. The SYN-ACK goes back to the MAC that the SYN came from: a flood of forged
 * addresses leaves no path, no neighbor and no connection behind.
 * @module
 */
import * as Drop from '../base/drops.ts';
import { TX_TCP_SUM } from '../link/layout.gen.ts';
import { NO_SLOT } from '../net/egress.ts';
import type { Packet } from '../net/packet.ts';
import type { Path } from '../net/path.ts';
import * as Wire from '../wire/tcp.ts';
import * as Options from '../wire/tcp-options.ts';
import { beginClassic, isClassicAsked } from './ecn-handshake.ts';
import { takeSyn, UNKNOWN } from './handshake.ts';
import { arrives } from './input.ts';
import type { TcpListener } from './listener.ts';
import { adopt } from './open.ts';
import type { Segment } from './segment.ts';
import { offeredMss, statedMss } from './sizes.ts';
import { SYN_RECEIVED } from './state.ts';
import * as Stats from './stats.ts';
import { hideOptions, recallOptions } from './syn-cookies.ts';
import type { Tcp } from './tcp.ts';
import { enter } from './trace.ts';

/** Answers a SYN and forgets it. */
export function answerStateless(tcp: Tcp, s: Segment, packet: Packet, most: number): void {
  const path = tcp.net.wayBack.of(packet);
  const at = path === null ? NO_SLOT : tcp.egress.begin(path);
  if (path === null || at === NO_SLOT) {
    tcp.drops[path === null ? Drop.IP_NO_ROUTE : Drop.TX_NO_SLOT]! += 1;
    return;
  }
  const view = tcp.view;
  const localPort = Wire.dstPort(view, s.at);
  const remotePort = Wire.srcPort(view, s.at);
  const mss = statedMss(path, tcp.optionValues.mss);
  const now = tcp.clock.ms;
  const iss = tcp.cookies.make(path, localPort, remotePort, s.seq, mss, now);
  const remembers = tcp.optionValues.timestamps === 1 && tcp.options.timestamps;
  const ecn = remembers && isClassicAsked(tcp, s);
  const header = writeOptions(tcp, path, at, most, ecn);
  const flags = ecn ? Wire.SYN | Wire.ACK | Wire.ECE : Wire.SYN | Wire.ACK;
  const ack = (s.seq + 1) | 0;
  Wire.write(view, at, localPort, remotePort, iss, ack, header, flags, tcp.initialWindow);
  tcp.egress.commit(path, at, header, TX_TCP_SUM, header, 0, 0);
  tcp.stats[Stats.SYN_COOKIES_SENT]! += 1;
  tcp.stats[Stats.SEGMENTS_OUT]! += 1;
}

/** MSS, and with timestamps what else the SYN offered; the length of the header. */
function writeOptions(tcp: Tcp, path: Path, at: number, most: number, ecn: boolean): number {
  const view = tcp.view;
  const peer = tcp.optionValues;
  let to = at + Wire.HEADER_LENGTH;
  const offered = offeredMss(path);
  Options.writeMss(view, to, most !== 0 && most < offered ? most : offered);
  to += 4;
  if (peer.timestamps === 0 || !tcp.options.timestamps) return to - at;
  const tsVal = (tcp.clock.ms + tcp.secrets.timestampOffset(path)) | 0;
  Options.writeTimestamps(view, to, hideOptions(tsVal, peer, ecn), peer.tsVal);
  to += Options.TIMESTAMPS_LENGTH;
  if (peer.windowScale >= 0) {
    Options.writeWindowScale(view, to, tcp.windowScale);
    to += 4;
  }
  if (peer.sackPermitted === 1 && tcp.options.sack) {
    Options.writeSackPermitted(view, to);
    to += 4;
  }
  return to - at;
}

/**
 * An ACK for a listener while cookies are out. False when it is not of a cookie: it gets its RST.
 * While the accept queue is full nothing is looked at and nothing reset: the peer tries again.
 */
export function takeCookie(tcp: Tcp, listener: TcpListener, s: Segment, packet: Packet): boolean {
  const now = tcp.clock.ms;
  if (s.flags & Wire.SYN || !tcp.cookies.isLive(now)) return false;
  if (!listener.hasRoom) {
    listener.overflows();
    return true;
  }
  const path = tcp.net.wayBack.of(packet);
  const localPort = Wire.dstPort(tcp.view, s.at);
  const remotePort = Wire.srcPort(tcp.view, s.at);
  const irs = (s.seq - 1) | 0;
  const cookie = (s.ack - 1) | 0;
  const mss = path === null ? -1 : tcp.cookies.check(path, localPort, remotePort, irs, cookie, now);
  if (mss < 0) {
    tcp.stats[Stats.SYN_COOKIES_FAILED]! += 1;
    return false;
  }
  open(tcp, listener, s, packet, mss, cookie);
  return true;
}

/** Makes the connection that a SYN would have made, and lets the segment arrive on it. */
function open(
  tcp: Tcp,
  listener: TcpListener,
  s: Segment,
  packet: Packet,
  mss: number,
  cookie: number,
): void {
  const c = adopt(tcp, packet);
  if (c === null) return;
  listener.begin(c);
  tcp.stats[Stats.SYN_COOKIES_RECEIVED]! += 1;
  tcp.stats[Stats.PASSIVE_OPENS]! += 1;
  const ecn = recallOptions(tcp.optionValues) && tcp.options.ecn !== 'off';
  tcp.optionValues.mss = mss;
  s.seq = (s.seq - 1) | 0;
  takeSyn(tcp, c, s);
  s.seq = (s.seq + 1) | 0;
  if (ecn) beginClassic(c);
  c.opening!.iss = cookie;
  c.sndUna = cookie;
  c.sndSml = cookie;
  c.sndNxt = (cookie + 1) | 0;
  c.sndBase = c.sndNxt;
  enter(tcp, c, SYN_RECEIVED);
  c.opening!.synSentAt = UNKNOWN;
  arrives(tcp, c, s);
}
