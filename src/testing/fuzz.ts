/**
 * A fuzzer of the way in: two stacks with live connections receive random frames, forged ones
 * and mutants of what is on the wire.
 *
 * Whatever comes, poll() returns without an exception, and when it is over all that was taken is
 * given back (slots, heap, timers, connections) and the stacks serve a clean connection.
 * @module
 */
import { Address } from '../base/address.ts';
import type { Link } from '../link/link.ts';
import type { PairOptions } from '../link/pair.ts';
import type { Random } from '../link/random.ts';
import type { StackReport } from '../stack/counts.ts';
import { bigEndian, concat } from './bytes.ts';
import { Injector } from './injector.ts';
import { icmpQuote, mutate } from './mutate.ts';
import { type EventHandler, type Host, Network, type Wire } from './network.ts';
import * as Packet from './packet.ts';
import { echo, serve, transfer } from './programs.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** Frames to inject, about. */
  readonly frames: number;
  /** Called after each phase. */
  readonly onPhase?: (phase: FuzzPhase) => void;
}

export interface FuzzPhase {
  /** `fuzz({ seed, frames: 1 })` repeats this phase alone. */
  readonly seed: number;
  readonly frames: number;
  /** Counters of the stack that was shot at most. */
  readonly report: StackReport;
}

const FRAMES_PER_PHASE = 10_000;
const BURST = 24;
const LIVE_CONNECTIONS = 12;
const ECHO_PORT = 7;
const UDP_PORT = 9;
/** Virtual time after which everything that times out has done so. */
const COOL_DOWN_US = 1200e6;
const CLEAN_BYTES = 50_000;
const CLEAN_TIMEOUT_US = 300e6;
const ADDRESSES = ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'] as const;
const STRANGERS = [
  '10.0.0.77',
  '192.0.2.1',
  '0.0.0.0',
  '127.0.0.1',
  '255.255.255.255',
  '224.0.0.1',
];
const STRANGERS_V6 = ['fd00::77', '2001:db8::1', '::', '::1', 'ff02::1', 'fe80::1'];

/** Phases take turns with these wires. */
const WIRES: readonly PairOptions[] = [
  {},
  { segmentBytes: 20_000 },
  { segmentBytes: 20_000, wire: 'trusted' },
];

/** Runs phases until `frames` are injected. Throws an Error that names the phase's seed. */
export function fuzz(options: FuzzOptions): void {
  let frames = 0;
  for (let seed = options.seed; frames < options.frames; seed++) {
    const phase = new Phase(seed);
    try {
      phase.shoot(FRAMES_PER_PHASE);
      phase.coolDown();
      phase.expectNothingLeft();
      phase.expectService();
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      throw new Error(`fuzz seed ${seed}: ${cause}`, { cause: error });
    } finally {
      phase.network.close();
    }
    frames += phase.frames;
    options.onPhase?.({ seed, frames: phase.frames, report: phase.b.stack.report() });
  }
}

class Phase {
  readonly network: Network;
  readonly a: Host;
  readonly b: Host;
  readonly wire: Wire;
  frames = 0;
  readonly #injectors: Injector[] = [];
  readonly #random: Random;
  #live = 0;
  #shooting = true;

  constructor(seed: number) {
    this.network = new Network({ seed, arenaBytes: 64 << 20 });
    this.#random = this.network.random;
    this.a = this.network.addHost('a', { heapBytes: 8 << 20 });
    this.b = this.network.addHost('b', { heapBytes: 8 << 20 });
    const wrap = (link: Link): Injector => {
      const injector = new Injector(link);
      this.#injectors.push(injector);
      return injector;
    };
    const there = { delay: 200, loss: 0.01 };
    const pair = WIRES[seed % WIRES.length]!;
    const [aPrefix, bPrefix] = ['10.0.0.1/24 fd00::1/64', '10.0.0.2/24 fd00::2/64'];
    this.wire = this.network.join(this.a, aPrefix, this.b, bPrefix, { ...pair, there, wrap });
    for (const host of [this.a, this.b]) serve(host, ECHO_PORT, echo);
  }

  /** Injects at least `count` frames while connections come and go. */
  shoot(count: number): void {
    const random = this.#random;
    const sockets = [this.a, this.b].map((host) => openUdp(host));
    while (this.frames < count) {
      while (this.#live < LIVE_CONNECTIONS) this.#connect();
      for (let i = 0; i < BURST; i++) this.#inject(random.pick(this.#injectors));
      this.network.runFor(random.pick([1, 100, 1000, 1000, 20_000]));
      if (random.chance(0.001)) this.network.runFor(random.pick([1e6, 70e6]));
    }
    this.#shooting = false;
    for (const socket of sockets) socket.close();
  }

  /** No more frames from outside; connections end or are ended, everything times out. */
  coolDown(): void {
    this.network.runFor(30e6);
    for (const host of [this.a, this.b]) {
      for (const connection of host.stack.tcp.connections) connection.socket?.abort();
    }
    this.network.runFor(COOL_DOWN_US);
  }

  expectNothingLeft(): void {
    for (const { name, stack } of [this.a, this.b]) {
      const { listeners, ...rest } = stack.counts();
      const left = Object.entries(rest).filter(([, count]) => count !== 0);
      if (left.length > 0) throw new Error(`stack ${name} has left ${JSON.stringify(left)}`);
      if (listeners !== 1) throw new Error(`stack ${name} has ${listeners} listeners`);
    }
    for (const end of [this.wire.faults, ...this.wire.ends]) {
      if (end.idleSlots === end.totalSlots) continue;
      throw new Error(`${end.totalSlots - end.idleSlots} slots of ${end.name} are lost`);
    }
  }

  /** A connection of each family in each direction carries its bytes. */
  expectService(): void {
    for (const [host, peer] of [
      [this.a, '10.0.0.2'],
      [this.b, '10.0.0.1'],
      [this.a, 'fd00::2'],
      [this.b, 'fd00::1'],
    ] as const) {
      const bytes = this.#random.bytes(CLEAN_BYTES);
      const socket = host.stack.tcp.connect({ address: Address.parse(peer), port: ECHO_PORT });
      const client = transfer(socket, bytes);
      this.network.run(() => client.closed, { timeoutUs: CLEAN_TIMEOUT_US });
      const same =
        client.received.length === bytes.length &&
        client.received.every((byte, i) => byte === bytes[i]);
      if (!same) throw new Error(`a clean connection to ${peer} failed: '${socket.error}'`);
    }
  }

  /** A connection that transfers some bytes and makes room for the next when it ends. */
  #connect(): void {
    const random = this.#random;
    const [host, peers] = random.chance(0.5)
      ? [this.a, ['10.0.0.2', 'fd00::2']]
      : [this.b, ['10.0.0.1', 'fd00::1']];
    const address = Address.parse(random.pick(peers));
    const socket = host.stack.tcp.connect({ address, port: ECHO_PORT });
    const state = transfer(socket, random.bytes(random.pick([0, 100, 5000, 60_000])));
    const program = socket.owner as EventHandler;
    this.#live++;
    const own: EventHandler = (events) => {
      program(events);
      if (!state.closed) {
        if (this.#shooting && random.chance(0.02)) socket.abort();
        return;
      }
      this.#live--;
      socket.owner = null;
    };
    socket.owner = own;
  }

  #inject(injector: Injector): void {
    const random = this.#random;
    const template =
      random.chance(0.6) && injector.seen.length > 0 ? random.pick(injector.seen) : forge(random);
    const kind = random.unit();
    const frames =
      kind < 0.05
        ? [noise(random)]
        : kind < 0.1
          ? [template.slice()]
          : kind < 0.15
            ? [icmpQuote(template, random)]
            : mutate(template, random);
    injector.queue.push(...frames);
    this.frames += frames.length;
  }
}

/** A socket that reads everything, so that UDP has somebody to deliver to. */
function openUdp(host: Host) {
  const socket = host.stack.udp.open();
  socket.bind(null, UDP_PORT);
  const into = new Uint8Array(2048);
  const own: EventHandler = () => {
    while (socket.receive(into) >= 0);
  };
  socket.owner = own;
  return socket;
}

function noise(random: Random): Uint8Array {
  const bytes = random.bytes(random.pick([0, 1, 13, 14, 20, 34, 54, 60, 200, 1514]));
  if (bytes.length >= 14 && random.chance(0.8)) {
    bytes.set(
      random.pick([
        [0x08, 0x00],
        [0x86, 0xdd],
        [0x08, 0x06],
        [0x81, 0x00],
      ]),
      12,
    );
    bytes.set([2, 0, 0, 0, 0, random.between(1, 2)], 0);
  }
  return bytes;
}

/** A frame as anybody might send it: SYNs, stray segments, datagrams, pings, ARP, NDP. */
function forge(random: Random): Uint8Array {
  const v6 = random.chance(0.4);
  const dst = random.pick(ADDRESSES.filter((text) => text.includes(':') === v6));
  const src = random.chance(0.5)
    ? random.pick(ADDRESSES.filter((text) => text.includes(':') === v6))
    : random.pick(v6 ? STRANGERS_V6 : STRANGERS);
  const dstMac = `02:00:00:00:00:0${dst.endsWith('1') ? 1 : 2}`;
  const ends = { src, dst, dstMac, srcMac: '02:00:00:00:00:09', hops: random.pick([1, 64, 255]) };
  const ports = {
    srcPort: random.below(65536),
    dstPort: random.pick([ECHO_PORT, UDP_PORT, random.below(65536)]),
  };
  const payload = random.bytes(random.pick([0, 1, 100, 1400]));
  const numbers = {
    seq: random.next() >>> 0,
    ack: random.next() >>> 0,
    window: random.below(65536),
  };
  switch (random.below(8)) {
    case 0:
    case 1:
      return Packet.tcp({
        ...ends,
        ...ports,
        ...numbers,
        flags: 'SYN',
        options: { mss: random.below(1500) },
      });
    case 2:
      return Packet.tcp({ ...ends, ...ports, ...numbers, flags: random.below(256), payload });
    case 3:
      return Packet.udp({ ...ends, ...ports, payload });
    case 4:
      return Packet.icmpEcho({ ...ends, payload });
    case 5:
      return neighborMessage(random, ends);
    case 6:
      return Packet.ip(
        ends,
        random.pick([0, 1, 2, 43, 44, 47, 50, 51, 58, 59, 60, 132, 255]),
        payload,
      );
    default:
      return forgeArp(random);
  }
}

function forgeArp(random: Random): Uint8Array {
  const v4 = (): string =>
    random.pick([...STRANGERS, '10.0.0.1', '10.0.0.2', '10.0.0.1', '10.0.0.2']);
  const operation = random.pick(['request', 'reply'] as const);
  return Packet.arp({ operation, senderMac: '02:00:00:00:00:09', senderIp: v4(), targetIp: v4() });
}

/** Router and neighbor solicitations and advertisements, and redirects, with options. */
function neighborMessage(random: Random, ends: Packet.IpFields): Uint8Array {
  const type = random.between(133, 137);
  const target = Packet.addressBytes(random.pick(['fd00::1', 'fd00::2', 'fe80::1', 'fd00::77']));
  const link = concat(
    Uint8Array.of(random.between(1, 2), random.pick([1, 1, 1, 0, 9])),
    random.bytes(6),
  );
  const fixed =
    type === 133
      ? bigEndian(0, 4)
      : type === 134
        ? random.bytes(12)
        : concat(random.bytes(4), target);
  const src = ends.src.includes(':') ? ends.src : 'fd00::77';
  const dst = random.pick(['fd00::1', 'fd00::2', 'ff02::1', 'ff02::1:ff00:1']);
  return Packet.icmp({ ...ends, src, dst, hops: 255, type, body: concat(fixed, link) });
}
