/**
 * Opening a connection: from SYN to established, actively, passively and simultaneously
 * (RFC 9293 3.5, 3.10.7.3).
 * @module
 */
import * as Drop from '../base/drops.ts';
import { CONNECTED } from '../base/events.ts';
import { ACK, FIN, RST, SYN, URG } from '../wire/tcp.ts';
import type { TcpOptionValues } from '../wire/tcp-options.ts';
import { boundedMss } from './choices.ts';
import { end } from './close.ts';
import { startCongestion } from './congestion/algorithms.ts';
import { ACK_NOW, type Connection, TIMER_RETRANSMIT } from './connection.ts';
import { earlyAcknowledged } from './early.ts';
import { takeFirstAck, takeSynEcn } from './ecn-handshake.ts';
import { fastOpenAnswered } from './fast-open.ts';
import { startMeasuring } from './memory.ts';
import { searchFromStart } from './mtu-probe.ts';
import { giveOpening } from './parts.ts';
import { receive } from './receiver.ts';
import { reset } from './reset.ts';
import { sample } from './rtt.ts';
import type { Segment } from './segment.ts';
import { payloadMss, sendMss } from './sizes.ts';
import * as State from './state.ts';
import * as Stats from './stats.ts';
import { noteTimeoutOver } from './tally.ts';
import type { Tcp } from './tcp.ts';
import { armRetransmit, disarm } from './timers.ts';
import { enter } from './trace.ts';
import { urgentArrives } from './urgent.ts';

/** ACKs that are not delayed at the start of a connection, as Linux's quickack does. */
export const QUICK_ACKS = 16;

/** `synSentAt` of a SYN-ACK that nobody remembers: no round-trip time to measure. */
export const UNKNOWN = 0;

/** A segment in SYN-SENT (RFC 9293 3.10.7.3). */
export function synSent(tcp: Tcp, c: Connection, s: Segment): void {
  const hasAck = (s.flags & ACK) !== 0;
  // First: the ACK bit.
  if (hasAck && (((s.ack - c.opening!.iss) | 0) <= 0 || ((s.ack - c.sndNxt) | 0) > sentInSyn(c))) {
    tcp.drops[Drop.TCP_BAD_ACK]! += 1;
    if (!(s.flags & RST)) reset(tcp, s.ack, 0, 0);
    return;
  }
  // Second: the RST bit.
  if (s.flags & RST) {
    if (hasAck) {
      tcp.stats[Stats.ATTEMPT_FAILS]! += 1;
      end(tcp, c, 'ECONNREFUSED');
    }
    return;
  }
  // Fourth: the SYN bit.
  if (!(s.flags & SYN)) return;
  takeSyn(tcp, c, s);
  if (hasAck) {
    const { fast } = c.opening!;
    if (fast !== null) fastOpenAnswered(tcp, c, fast, s);
    becomeEstablished(tcp, c, s, s.window);
    c.ackDue = ACK_NOW;
    tcp.makeReady(c);
    takeRest(tcp, c, s);
  } else {
    // Both sides opened at the same time: answer with SYN-ACK.
    enter(tcp, c, State.SYN_RECEIVED);
    c.synDue = 1;
    tcp.makeReady(c);
  }
}

/**
 * Both sides opened at once, and the peer's SYN-ACK repeats the SYN that is here already: what is
 * new is its ACK (RFC 9293 figure 8). False when it is something else.
 */
export function crossed(tcp: Tcp, c: Connection, s: Segment): boolean {
  const acceptable = ((s.ack - c.sndUna) | 0) > 0 && ((s.ack - c.sndNxt) | 0) <= 0;
  if (!(s.flags & ACK) || !acceptable || c.opening!.listener !== null) return false;
  becomeEstablished(tcp, c, s, s.window);
  takeRest(tcp, c, s);
  return true;
}

/** Payload bytes that went with our SYN. */
function sentInSyn(c: Connection): number {
  const { fast } = c.opening!;
  return fast === null ? 0 : fast.sent;
}

/** Data or FIN that came with the SYN. */
export function takeRest(tcp: Tcp, c: Connection, s: Segment): void {
  if (s.flags & URG) urgentArrives(tcp, c, s);
  s.trimFront(1);
  const window = (c.rcvAdv - c.rcvNxt) | 0;
  s.trimBack(window > 0 ? window : 0);
  if (s.dataLength > 0 || s.flags & FIN) receive(tcp, c, s);
}

/** What the peer's SYN settles: its sequence numbers and options. */
export function takeSyn(tcp: Tcp, c: Connection, s: Segment): void {
  const peer = tcp.optionValues;
  c.opening!.irs = s.seq;
  c.rcvNxt = (s.seq + 1) | 0;
  c.lastAckSent = c.rcvNxt;
  c.rcvAdv = (c.rcvNxt + tcp.initialWindow) | 0;
  startMeasuring(tcp, c);
  takeTimestamps(tcp, c, peer);
  c.mss = payloadMss(c, boundedMss(c, sendMss(c.path!, peer.mss, tcp.options.minMss)));
  c.rcvMss = c.mss;
  takeSynEcn(tcp, c, s);
  c.sackOk = peer.sackPermitted & (tcp.options.sack ? 1 : 0);
  if (peer.windowScale >= 0) {
    c.sndWndScale = peer.windowScale;
    c.rcvWndScale = tcp.windowScale;
  } else {
    c.sndWndScale = -1;
    c.rcvWndScale = 0;
  }
  c.lastDataAt = tcp.clock.ms;
  c.lastBareAt = tcp.clock.ms;
}

/** RFC 7323 3.2: timestamps are used when both SYNs have them. */
function takeTimestamps(tcp: Tcp, c: Connection, peer: TcpOptionValues): void {
  c.tsOk = peer.timestamps & (tcp.options.timestamps ? 1 : 0);
  c.tsRecent = peer.tsVal;
  c.tsRecentAt = tcp.clock.ms;
}

/** The ACK of our SYN-ACK arrived in SYN-RECEIVED; false when the program cannot take it yet. */
export function established(tcp: Tcp, c: Connection, s: Segment): boolean {
  const { listener, early } = c.opening!;
  const enters = listener !== null && early === 0;
  if (enters && !listener.hasRoom) {
    // The peer's retransmission, or ours, tries again.
    listener.overflows();
    return false;
  }
  const scale = c.sndWndScale > 0 ? c.sndWndScale : 0;
  becomeEstablished(tcp, c, s, s.window << scale);
  if (enters) listener.enqueue(c);
  return true;
}

/** Our SYN is acknowledged. `window`: bytes; not scaled when it came with a SYN (RFC 7323 2.2). */
function becomeEstablished(tcp: Tcp, c: Connection, s: Segment, window: number): void {
  if (c.sndWndScale < 0) c.sndWndScale = 0;
  const opening = c.opening!;
  const isEarly = opening.early === 1;
  if (isEarly) earlyAcknowledged(tcp, c);
  else c.sndUna = s.ack;
  c.sndWnd = window;
  c.maxSndWnd = window > 1 ? window : 1;
  c.sndWl1 = s.seq;
  c.sndWl2 = s.ack;
  c.quickAcks = QUICK_ACKS;
  c.synDue = 0;
  c.retries = 0;
  const since = opening.synSentAt;
  if (c.backoff > 0) noteTimeoutOver(tcp, c);
  else if (since !== UNKNOWN) sample(c, (tcp.clock.us - since) | 0, tcp.clock.ms, tcp.options);
  searchFromStart(tcp, c);
  takeFirstAck(tcp, c, s);
  // A SYN lost more than once says that the path is in trouble (RFC 6928 2, RFC 5681 3.1).
  if (c.backoff > 1) startCongestion(tcp, c, 1);
  else if (!isEarly) startCongestion(tcp, c, tcp.options.initialWindowSegments);
  c.backoff = 0;
  disarm(c, TIMER_RETRANSMIT);
  if (c.sndNxt !== c.sndUna) armRetransmit(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
  // A connection that came in needs it until it is accepted.
  if (opening.listener === null || (isEarly && opening.acceptQueued === 0)) giveOpening(c);
  enter(tcp, c, State.ESTABLISHED);
  tcp.startKeepAlive(c);
  if (c.finQueued === 1) enter(tcp, c, State.next(c.state, State.CLOSE));
  if (c.socket !== null && !isEarly) tcp.events.raise(c.socket, CONNECTED);
  if (c.snd.length > 0 || c.finQueued === 1) tcp.makeReady(c);
}
