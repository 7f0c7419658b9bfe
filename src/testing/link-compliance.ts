/**
 * The checks that any Link must pass, whatever it is made of: `linkCompliance(makeLink)` returns
 * them as named functions to hand to a test runner.
 *
 *     for (const { name, check } of linkCompliance(() => createPair(arena))) test(name, check);
 * @module
 */
import {
  RX_COALESCED,
  RX_IP_BAD,
  RX_L4_BAD,
  RX_L4_GOOD,
  RX_MAX,
  SLOT_COUNT,
  SLOT_MAX,
  TX_COUNT,
  TX_MAX,
} from '../link/layout.gen.ts';
import { hasRoom, type Link } from '../link/link.ts';
import { decode } from './decode.ts';
import { type ReceivedFrame, receiveFrames, sendFrame } from './frames.ts';
import { tcp, udp } from './packet.ts';

/** Two links joined by a wire; for a loopback twice the same. */
export type LinkEnds = readonly [Link, Link];

export interface Compliance {
  readonly name: string;
  readonly check: () => void;
}

export interface ComplianceOptions {
  /** exchange() calls to wait for a frame, for links that are not immediate; 100 when not given. */
  readonly patience?: number;
  /** True when sums need not be right on the wire: a trusted link. */
  readonly trusted?: boolean;
}

const ENDS = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 4000, dstPort: 80 };

/** `makeLink` makes fresh ends for each check, which closes them. Checks throw an Error. */
export function linkCompliance(
  makeLink: () => LinkEnds,
  options: ComplianceOptions = {},
): Compliance[] {
  const checks = Object.entries(CHECKS);
  return checks.map(([name, check]) => ({
    name: `link: ${name}`,
    check: () => {
      const [a, b] = makeLink();
      const bench = new Bench(a, b, options.patience ?? 100, options.trusted ?? false);
      try {
        check(bench);
      } finally {
        a.close();
        b.close();
      }
    },
  }));
}

class Bench {
  readonly a: Link;
  readonly b: Link;
  readonly trusted: boolean;
  readonly #patience: number;

  constructor(a: Link, b: Link, patience: number, trusted: boolean) {
    this.a = a;
    this.b = b;
    this.#patience = patience;
    this.trusted = trusted;
  }

  /** Exchanges on both ends until `count` frames came to b, or patience ends. */
  receive(count: number): ReceivedFrame[] {
    const received: ReceivedFrame[] = [];
    for (let turn = 0; turn < this.#patience && received.length < count; turn++) {
      if (this.a !== this.b) this.a.exchange();
      received.push(...receiveFrames(this.b));
    }
    return received;
  }

  /** Sends frames as fast as there is room and gives back what arrived. */
  carry(frames: readonly Uint8Array[], mss?: number): ReceivedFrame[] {
    const received: ReceivedFrame[] = [];
    const sending = mss === undefined ? {} : { mss };
    let sent = 0;
    let idle = 0;
    // A link that goes on for ever, duplicating, ends here as well.
    for (let turn = 0; idle < this.#patience && turn < 100 * this.#patience; turn++) {
      const before = sent + received.length;
      while (sent < frames.length && sendFrame(this.a, frames[sent]!, sending)) sent++;
      if (this.a !== this.b) this.a.exchange();
      received.push(...receiveFrames(this.b));
      expect(this.a.ring[TX_COUNT] === 0, 'the transmit count is back at 0');
      idle = sent + received.length > before ? 0 : idle + 1;
    }
    expect(sent === frames.length, `all frames can be sent, only ${sent} of ${frames.length} were`);
    return received;
  }
}

const CHECKS: Record<string, (bench: Bench) => void> = {
  'describes itself': ({ a }) => {
    expect(a.name.length > 0, 'it has a name');
    expect(a.mac.length === 6, 'its mac has 6 bytes');
    expect(a.mtu >= 68 && a.mtu <= 65535, `its mtu of ${a.mtu} is that of an IP packet`);
    expect(a.segmentBytes >= 0 && a.segmentBytes <= 65535, 'segmentBytes fits an IP packet');
  },

  'offers free slots from the start or after one exchange': ({ a }) => {
    a.exchange();
    expect(hasRoom(a.ring), 'the ring has room');
    expect(a.ring[SLOT_COUNT]! <= SLOT_MAX, 'not more slots than the table holds');
  },

  'offers each slot once, inside the arena': ({ a }) => {
    a.exchange();
    const slots = takeSlots(a);
    expect(new Set(slots).size === slots.length, 'no slot is offered twice');
    expect(
      slots.every((slot) => slot >= 0 && slot < a.arena.bytes.length),
      'slots lie in the arena',
    );
    for (const slot of slots) giveSlot(a, slot);
  },

  'delivers a TCP and a UDP frame byte for byte, with no bad verdict': (bench) => {
    const frames = [tcp({ ...ENDS, payload: 'hello' }), udp({ ...ENDS, payload: 'hello' })];
    const received = bench.carry(frames);
    expectSame(received, frames, bench.trusted);
    const bad = received.filter(({ flags }) => (flags & (RX_IP_BAD | RX_L4_BAD)) !== 0);
    expect(bad.length === 0, 'the verdicts are not bad');
  },

  'delivers IPv6': (bench) => {
    const ends = { src: 'fd00::1', dst: 'fd00::2', srcPort: 4000, dstPort: 80 };
    const frames = [tcp({ ...ends, payload: 'hello' }), udp({ ...ends, payload: 'odd' })];
    expectSame(bench.carry(frames), frames, bench.trusted);
  },

  'delivers many bursts completely and in order': (bench) => {
    const frames = Array.from({ length: 1000 }, (_, i) => {
      return tcp({
        ...ENDS,
        seq: i,
        payload: 'x'.repeat((i * 37) % Math.min(1400, bench.a.mtu - 40)),
      });
    });
    expectSame(bench.carry(frames), frames, bench.trusted);
  },

  'delivers the largest packet its MTU allows': (bench) => {
    const frames = [tcp({ ...ENDS, payload: 'm'.repeat(bench.a.mtu - 40) })];
    expectSame(bench.carry(frames), frames, bench.trusted);
  },

  'says of a wrong checksum that it is wrong, or nothing': (bench) => {
    expect(
      sendFrame(bench.a, tcp({ ...ENDS, payload: 'x', checksum: 1 }), { sums: false }),
      'room',
    );
    const [frame] = bench.receive(1);
    expect(frame === undefined || (frame.flags & RX_L4_GOOD) === 0, 'its verdict is not good');
  },

  'takes over the transmit descriptors with each exchange': ({ a }) => {
    a.exchange();
    for (let i = 0; i < TX_MAX && sendFrame(a, tcp(ENDS)); i++);
    a.exchange();
    expect(a.ring[TX_COUNT] === 0, 'the transmit count is back at 0');
  },

  'holds the sender back instead of losing frames, and recovers': (bench) => {
    if (bench.a === bench.b) return;
    let sent = 0;
    for (let turn = 0; turn < 50; turn++) {
      while (sent < 5000 && sendFrame(bench.a, tcp({ ...ENDS, seq: sent }))) sent++;
      bench.a.exchange();
    }
    const received = bench.receive(sent);
    expect(received.length === sent, `${sent} frames were taken, ${received.length} delivered`);
    received.forEach(({ bytes }, i) => {
      expect(decode(bytes).tcp?.seq === i, `frame ${i} comes in its place`);
    });
    bench.carry([]);
    expect(hasRoom(bench.a.ring), 'there is room again');
  },

  'hands up at most RX_MAX frames, which stay until the next exchange': (bench) => {
    for (let i = 0; i < RX_MAX + 10; i++) sendFrame(bench.a, tcp({ ...ENDS, seq: i }));
    if (bench.a !== bench.b) bench.a.exchange();
    const first = receiveFrames(bench.b);
    expect(first.length <= RX_MAX, `${first.length} frames at once`);
  },

  'cuts or passes on a large segment without changing its bytes': (bench) => {
    const { segmentBytes } = bench.a;
    if (segmentBytes === 0) return;
    const text = Array.from({ length: segmentBytes }, (_, i) =>
      String.fromCharCode(97 + (i % 23)),
    ).join('');
    const received = bench.carry([tcp({ ...ENDS, payload: text, flags: 'PSH ACK' })], 1000);
    let expected = 0;
    for (const { bytes, flags } of received) {
      const { tcp: segment, payload } = decode(bytes);
      expect(segment?.seq === expected, `segment at ${segment?.seq}, ${expected} expected`);
      const same = payload.every((byte, i) => byte === text.charCodeAt(expected + i));
      expect(same, `the payload at ${expected} is as it was sent`);
      const vouched = bench.trusted || (flags & RX_COALESCED) !== 0;
      expect(vouched || segment!.checksumGood, 'its checksum is right');
      expected += payload.length;
    }
    expect(expected === segmentBytes, `${expected} of ${segmentBytes} bytes arrived`);
  },

  'stops for good after close(), which may be called twice': ({ a }) => {
    a.close();
    a.close();
    expect(a.exchange() < 0, 'exchange() says that the link is gone');
  },
};

function takeSlots(link: Link): number[] {
  const count = link.ring[SLOT_COUNT]!;
  link.ring[SLOT_COUNT] = 0;
  return Array.from(link.ring.slice(-SLOT_MAX).slice(0, count));
}

function giveSlot(link: Link, slot: number): void {
  link.ring[link.ring.length - SLOT_MAX + link.ring[SLOT_COUNT]!] = slot;
  link.ring[SLOT_COUNT]!++;
}

/** Equal bytes; on a trusted link the sums are not looked at. Ethernet padding is allowed. */
function expectSame(
  received: readonly ReceivedFrame[],
  frames: readonly Uint8Array[],
  trusted: boolean,
): void {
  expect(
    received.length === frames.length,
    `${frames.length} frames sent, ${received.length} received`,
  );
  received.forEach(({ bytes }, i) => {
    const frame = frames[i]!;
    const isSum = (at: number): boolean => trusted && sumOffsets(frame).includes(at);
    const differs = frame.findIndex((byte, at) => bytes[at] !== byte && !isSum(at));
    expect(differs < 0, `frame ${i} differs at byte ${differs}`);
    expect(bytes.length === frame.length || bytes.length === 60, `frame ${i} has its length`);
  });
}

function sumOffsets(frame: Uint8Array): number[] {
  const v6 = frame[12] === 0x86;
  const transportAt = v6 ? 54 : 34;
  const sumAt = transportAt + (frame[v6 ? 20 : 23] === 6 ? 16 : 6);
  return v6 ? [sumAt, sumAt + 1] : [24, 25, sumAt, sumAt + 1];
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`link compliance: ${what}`);
}
