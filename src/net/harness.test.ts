/**
 * One network layer on one end of a cable, a test on the other: bytes in, bytes out.
 *
 * The host is 10.0.0.2/24 and fd00::2/64 with MAC 02:00:00:00:00:02; the test speaks as
 * 10.0.0.1 and fd00::1 with MAC 02:00:00:00:00:01, which are the defaults of testing/packet.ts.
 */
import { Prefix } from '../base/address.ts';
import { Clock } from '../base/clock.ts';
import * as Drop from '../base/drops.ts';
import type { Link } from '../link/link.ts';
import { createPair } from '../link/pair.ts';
import { Random } from '../link/random.ts';
import { Arena } from '../storage/arena.ts';
import { type Decoded, decode } from '../testing/decode.ts';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import * as Build from '../testing/packet.ts';
import { Net } from './net.ts';
import type { Nic } from './nic.ts';
import type { AttachOptions, NetLimits } from './options.ts';

export const PEER_MAC = '02:00:00:00:00:01';
export const HOST_MAC = '02:00:00:00:00:02';
export const PEER = '10.0.0.1';
export const HOST = '10.0.0.2';
export const PEER6 = 'fd00::1';
export const HOST6 = 'fd00::2';

export interface HostOptions extends AttachOptions {
  mtu?: number;
  limits?: NetLimits;
  /** Starts before the announcements of attach() went out. */
  silent?: boolean;
}

export class Host {
  readonly arena: Arena = Arena.allocate(16 << 20);
  readonly clock: Clock = new Clock();
  readonly drops: Float64Array = Drop.family.values();
  readonly net: Net;
  readonly nic: Nic;
  /** The test's end of the cable. */
  readonly wire: Link;
  #now = 5_000_000;

  constructor(options: HostOptions = {}) {
    this.clock.set(this.#now);
    const random = new Random(7);
    this.net = new Net({
      arena: this.arena,
      clock: this.clock,
      random: () => random.next(),
      drops: this.drops,
      limits: { waitingBlocks: 64, fragmentBlocks: 256, ...options.limits },
    });
    const [ours, wire] = createPair(this.arena, {
      mtu: options.mtu ?? 1500,
      macs: [Uint8Array.of(2, 0, 0, 0, 0, 2), Uint8Array.of(2, 0, 0, 0, 0, 1)],
    });
    this.wire = wire;
    this.nic = this.net.attach(ours, {
      addresses: [Prefix.parse('10.0.0.2/24'), Prefix.parse('fd00::2/64')],
      ...options,
    });
    ours.exchange();
    wire.exchange();
    if (options.silent !== true) this.advance(0);
  }

  /** Puts frames on the wire and lets the host work; returns what it sent. */
  gets(...frames: Uint8Array[]): Decoded[] {
    return this.getsRaw(...frames).map(decode);
  }

  getsRaw(...frames: Uint8Array[]): Uint8Array[] {
    const sent: Uint8Array[] = [];
    for (const frame of frames) {
      sendFrame(this.wire, frame, { sums: false });
      this.wire.exchange();
      this.nic.link.exchange();
      this.net.receive(this.nic);
      sent.push(...this.sentRaw());
    }
    return sent;
  }

  /** What the host has sent and nobody looked at yet. */
  sent(): Decoded[] {
    return this.sentRaw().map(decode);
  }

  sentRaw(): Uint8Array[] {
    const sent: Uint8Array[] = [];
    for (let quiet = false; !quiet; ) {
      this.nic.link.exchange();
      const frames = receiveFrames(this.wire);
      quiet = frames.length === 0;
      sent.push(...frames.map(({ bytes }) => bytes));
    }
    return sent;
  }

  /** Time passes; the host's timers run as they fall due. Returns what it sent. */
  advance(ms: number): Decoded[] {
    const end = this.#now + ms * 1000;
    const sent: Decoded[] = [];
    for (;;) {
      const wait = this.net.hasTick === 1 ? Math.max(0, (this.net.tickAt - this.clock.ms) | 0) : -1;
      if (wait < 0 || this.#now + wait * 1000 > end) break;
      this.#now += wait * 1000;
      this.clock.set(this.#now);
      this.net.tick();
      sent.push(...this.sent());
    }
    this.#now = end;
    this.clock.set(end);
    return sent;
  }

  /** The host learns the test's MAC addresses, as from a request for its own. */
  knowsPeer(): this {
    this.gets(Build.arp({ operation: 'request', senderIp: PEER, targetIp: HOST }), solicitation());
    return this;
  }

  dropped(): Record<string, number> {
    return Drop.family.report(this.drops);
  }

  stat(index: number): number {
    return this.net.stats[index]!;
  }
}

/** A neighbor solicitation for HOST6 from PEER6. */
export function solicitation(
  fields: Partial<Build.IpFields> & { target?: string } = {},
): Uint8Array {
  const body = Uint8Array.of(
    ...[0, 0, 0, 0],
    ...Build.addressBytes(fields.target ?? HOST6),
    ...[1, 1, 2, 0, 0, 0, 0, 1],
  );
  return Build.icmp({
    src: PEER6,
    dst: 'ff02::1:ff00:2',
    dstMac: '33:33:ff:00:00:02',
    hops: 255,
    type: 135,
    body,
    ...fields,
  });
}

/** A neighbor advertisement for PEER6 from PEER6. */
export function advertisement(
  flags: number,
  fields: Partial<Build.IpFields> & { target?: string; mac?: number } = {},
): Uint8Array {
  const body = Uint8Array.of(
    ...[flags, 0, 0, 0],
    ...Build.addressBytes(fields.target ?? PEER6),
    ...[2, 1, 2, 0, 0, 0, 0, fields.mac ?? 1],
  );
  return Build.icmp({ src: PEER6, dst: HOST6, hops: 255, type: 136, body, ...fields });
}
