/**
 * A simulated network: stacks joined by links with delay, loss and a rate, under one virtual
 * clock. The same seed gives the same run, to the microsecond; a failure names it.
 *
 *     simulate({ seed: 1 }, (network) => {
 *       const [a, b] = [network.addHost('a'), network.addHost('b')];
 *       network.join(a, '10.0.0.1/24', b, '10.0.0.2/24', { both: { delay: 10_000, loss: 0.01 } });
 *       ...
 *       network.run(() => received === sent);
 *     });
 * @module
 */
import { Prefix } from '../base/address.ts';
import { FaultLink } from '../link/fault.ts';
import type { Faults } from '../link/faulty-path.ts';
import type { Link } from '../link/link.ts';
import type { MemoryLink } from '../link/memory-link.ts';
import { createPair, type PairOptions } from '../link/pair.ts';
import { Random } from '../link/random.ts';
import { createStack, type Stack, type StackOptions } from '../stack/stack.ts';
import { Arena } from '../storage/arena.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface NetworkOptions {
  readonly seed: number;
  /** Memory of the whole network, stacks and links; 256 MiB when not given. */
  readonly arenaBytes?: number;
}

export interface JoinOptions extends PairOptions {
  /** Faults of both directions, or of one: `there` from the first host to the second. */
  readonly both?: Faults;
  readonly there?: Faults;
  readonly back?: Faults;
  /** Puts a link of yours (capture, trace) between each end and its stack. */
  readonly wrap?: (link: Link, host: Host) => Link;
}

export interface RunOptions {
  /** Virtual microseconds after which the run is a failure; ten minutes when not given. */
  readonly timeoutUs?: number;
  /** Rounds without the clock moving, after which it is a livelock. */
  readonly rounds?: number;
}

/** Gets a socket's events when it is the socket's `owner`. */
export type EventHandler = (events: number) => void;

const ARENA_BYTES = 256 << 20;
const HEAP_BYTES = 16 << 20;
const TIMEOUT_US = 600e6;
const ROUNDS = 1_000_000;

/** One stack with its name. Its sockets' owners are EventHandlers, or null. */
export class Host {
  readonly name: string;
  readonly stack: Stack;

  constructor(name: string, stack: Stack) {
    this.name = name;
    this.stack = stack;
  }

  /** One poll() and the events it brought; true when anything happened. */
  turn(now: number): boolean {
    let done = this.stack.poll(now) > 0;
    for (let source = this.stack.nextEvent(); source !== null; source = this.stack.nextEvent()) {
      const events = source.takeEvents();
      if (typeof source.owner === 'function') (source.owner as EventHandler)(events);
      done = true;
    }
    return done;
  }
}

/** The wire between two hosts. */
export interface Wire {
  /** The first host's end: its `sent` and `received` count the faults. */
  readonly faults: FaultLink;
  readonly ends: readonly [MemoryLink, MemoryLink];
}

export class Network {
  readonly seed: number;
  readonly clock: VirtualClock = new VirtualClock();
  readonly arena: Arena;
  readonly random: Random;
  readonly hosts: Host[] = [];
  readonly wires: Wire[] = [];

  constructor(options: NetworkOptions) {
    this.seed = options.seed;
    this.random = new Random(options.seed);
    this.arena = Arena.allocate(options.arenaBytes ?? ARENA_BYTES);
  }

  /** A host without a link; `options` are those of its stack. */
  addHost(name: string, options: Partial<StackOptions> = {}): Host {
    const source = new Random(this.random.next());
    const random = (): number => source.next();
    const stack = createStack({ heapBytes: HEAP_BYTES, random, ...options, arena: this.arena });
    const host = new Host(name, stack);
    this.hosts.push(host);
    return host;
  }

  /** Joins two hosts; an address may be a list of prefixes separated by blanks. */
  join(a: Host, aAddress: string, b: Host, bAddress: string, options: JoinOptions = {}): Wire {
    const { both = {}, there = both, back = both, wrap = (link) => link, ...pair } = options;
    const ends = createPair(this.arena, { macs: this.#macs(), ...pair });
    const seed = this.random.next();
    const faults = new FaultLink(ends[0], { seed, now: this.clock.now, out: there, in: back });
    a.stack.attach(wrap(faults, a), { addresses: prefixes(aAddress) });
    b.stack.attach(wrap(ends[1], b), { addresses: prefixes(bAddress) });
    const wire = { faults, ends };
    this.wires.push(wire);
    return wire;
  }

  /**
   * Runs until `until` is true, or without it until nothing is left to happen. Throws an Error
   * when the virtual time is up or the hosts go round without end.
   */
  run(until?: () => boolean, options: RunOptions = {}): void {
    const { timeoutUs = TIMEOUT_US, rounds = ROUNDS } = options;
    const deadline = this.clock.now() + timeoutUs;
    let still = 0;
    while (until === undefined || !until()) {
      if (this.#round()) {
        still++;
        if (still > rounds) throw new Error(`no end after ${rounds} rounds at ${this}`);
        continue;
      }
      still = 0;
      const next = this.#nextAt();
      if (next === Number.POSITIVE_INFINITY) {
        if (until === undefined) return;
        throw new Error(`nothing is left to happen at ${this}`);
      }
      if (next > deadline) {
        if (until === undefined) return;
        throw new Error(`not done in time at ${this}`);
      }
      this.clock.advanceTo(Math.max(next, this.clock.now() + 1));
    }
  }

  /** Runs for `us` of virtual time. */
  runFor(us: number): void {
    const end = this.clock.now() + us;
    while (this.clock.now() < end) {
      if (this.#round()) continue;
      this.clock.advanceTo(Math.min(Math.max(this.#nextAt(), this.clock.now() + 1), end));
    }
  }

  /** Closes all stacks and their links. */
  close(): void {
    for (const { stack } of this.hosts) stack.close();
  }

  toString(): string {
    const hosts = this.hosts.map(({ name, stack }) => `${name} ${JSON.stringify(stack.counts())}`);
    return `${(this.clock.now() / 1e6).toFixed(6)} s, ${hosts.join(', ')}`;
  }

  #round(): boolean {
    let busy = false;
    for (const host of this.hosts) if (host.turn(this.clock.now())) busy = true;
    return busy || this.wires.some(({ ends }) => ends[0].pending > 0 || ends[1].pending > 0);
  }

  #nextAt(): number {
    const stacks = this.hosts.map(({ stack }) => stack.pollAt());
    const wires = this.wires.map(({ faults }) => faults.pendingAt);
    return Math.min(...stacks, ...wires);
  }

  #macs(): [Uint8Array, Uint8Array] {
    const index = 2 * this.wires.length + 1;
    return [Uint8Array.of(2, 0, 0, 0, 0, index), Uint8Array.of(2, 0, 0, 0, 0, index + 1)];
  }
}

/** Runs `body` on a fresh network and closes it; an error says the seed. */
export function simulate(options: NetworkOptions, body: (network: Network) => void): void {
  const network = new Network(options);
  try {
    body(network);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${options.seed}: ${cause}`, { cause: error });
  } finally {
    network.close();
  }
}

function prefixes(text: string): Prefix[] {
  return text.split(/\s+/).map((prefix) => Prefix.parse(prefix));
}
