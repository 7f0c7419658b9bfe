/**
 * What a running stack tells about itself when it is asked: plain objects that can be posted to
 * another thread and written as JSON. Nothing here is kept up while nobody asks.
 * @module
 */
import { Address } from '../base/address.ts';
import type { PortConfig } from '../config/config.ts';
import type { Port } from '../dpdk/index.ts';
import { type Neighbor, REACHABLE, STATIC } from '../net/neighbor/neighbor.ts';
import { allowedCpus } from '../runtime/cpus.ts';
import { findDevice } from '../runtime/find-device.ts';
import type { RunningStack } from '../runtime/open-stack.ts';
import type { StackCounts } from '../stack/index.ts';
import * as Mac from '../wire/mac.ts';
import {
  type ConnectionPage,
  ConnectionPager,
  type ConnectionRow,
  type PageRequest,
} from './connection-page.ts';
import { type ConnectionFilter, type ConnectionReport, connectionsOf } from './connections.ts';
import { readSheet, type Sheet, type SheetReport, sheetOf } from './sheet.ts';

/** Which of the process's stacks: one per port and queue. */
export interface StackPlace {
  readonly port: string;
  readonly queue: number;
  /** Number of the worker thread; 0: the main thread. */
  readonly worker: number;
  /** The core it is pinned to; -1: wherever the kernel puts it. */
  readonly core: number;
  /** NUMA node of the device, -1: none. */
  readonly numa: number;
}

export interface QueueReport extends StackPlace {
  readonly device: string;
  readonly driver: string;
  readonly addresses: readonly string[];
  readonly mac: string;
  readonly mtu: number;
  readonly features: Readonly<Record<string, string>>;
}

export interface NeighborReport extends StackPlace {
  readonly address: string;
  readonly mac: string;
  readonly state: string;
  /** Since it was last known to be there. */
  readonly ageMs: number;
  /** Paths that use it. */
  readonly references: number;
  /** Packets that wait for its MAC address. */
  readonly waiting: number;
}

export interface StatsReport extends StackPlace, SheetReport {
  /**
   * Its thread did not answer in time: counters and times are of now, what has to be asked for is
   * as it was the last time.
   */
  readonly isLate: boolean;
  readonly counts: StackCounts;
  /** How many neighbors are in which state. */
  readonly neighbors: Readonly<Record<string, number>>;
  readonly loop: {
    readonly turns: number;
    readonly sleeps: number;
    readonly oversleeps: number;
    readonly wakes: number;
  };
  /** What the addon counts for the queue; empty without a device. */
  readonly link: Readonly<Record<string, number>>;
  /** Who does the work that a card can do: 'hardware', 'software', 'none'. */
  readonly features: Readonly<Record<string, string>>;
  /** The port's, in the report of its first queue; null in others. */
  readonly device: DeviceReport | null;
}

/** Of a port, for all its queues. */
export interface DeviceReport {
  /** What the device counts, and its driver under names of its own. */
  readonly events: Readonly<Record<string, number>>;
  readonly driver: Readonly<Record<string, number>>;
  /** Packet slots: pools for receiving, sending and cutting of queue 0, of queue 1, ... */
  readonly pools: readonly { readonly size: number; readonly inUse: number }[];
}

export interface StatsRequest {
  /** Also the driver's own counters, which may be hundreds; true when not given. */
  readonly driver?: boolean;
}

export function deviceReport(port: Port, driver: boolean): DeviceReport {
  return {
    events: { ...port.stats() },
    driver: driver ? port.device.xstats() : {},
    pools: port.usage(),
  };
}

export interface ListenerReport extends StackPlace {
  readonly address: string;
  readonly tcpPort: number;
  readonly waiting: number;
  readonly halfOpen: number;
}

/** A queue of a port, before it is opened: who will serve it, and what is behind it. */
export type QueuePlace = StackPlace & Pick<QueueReport, 'device' | 'driver'>;

/**
 * Where the queues of a port will be served. One queue is the main thread's, which stays where
 * the kernel puts it; several have a worker each, on a core of its own where there are enough.
 * Throws an Error that says what to do when the device is not there.
 */
export function placesOf({ name, device, queues }: PortConfig, pin: boolean): QueuePlace[] {
  const found = device === 'loopback' ? { device, driver: 'none', numa: -1 } : findDevice(device);
  const label = found.device.replace(/,.*/, '');
  const cpus = pin && queues.count > 1 ? allowedCpus() : [];
  return Array.from({ length: queues.count }, (_, queue) => ({
    port: name,
    queue,
    worker: queues.count > 1 ? queue + 1 : 0,
    core: cpus.length < queues.count ? -1 : cpus[queue]!,
    numa: found.numa,
    device: label,
    driver: found.driver,
  }));
}

/** By the number in `Neighbor.state`. */
const NEIGHBOR_STATES = [
  'incomplete',
  'reachable',
  'stale',
  'delay',
  'probe',
  'failed',
  'static',
  'verify',
];

/** A stack of this thread, and what can be asked of it. */
export class StackReporter {
  readonly place: StackPlace;
  readonly running: RunningStack;
  readonly sheet: Sheet;
  readonly #pager: ConnectionPager;

  constructor(running: RunningStack, place: StackPlace) {
    this.running = running;
    this.place = place;
    this.sheet = sheetOf(running);
    this.#pager = new ConnectionPager(running.stack);
  }

  queue(): QueueReport {
    const { device, config } = this.running;
    return {
      ...this.place,
      device: device?.name ?? 'loopback',
      driver: device?.driver ?? 'none',
      addresses: config.network.addresses.map(String),
      mac: device?.mac ?? '',
      mtu: device?.mtu ?? 0,
      features: this.#features(),
    };
  }

  connections(filter: ConnectionFilter): (StackPlace & ConnectionReport)[] {
    return connectionsOf(this.running.stack, filter).map((report) => ({
      ...this.place,
      ...report,
    }));
  }

  /** A window on them, for a table. */
  page(request: PageRequest): ConnectionPage & { rows: (StackPlace & ConnectionRow)[] } {
    const { rows, ...page } = this.#pager.page(request, performance.now());
    return { ...page, rows: rows.map((row) => ({ ...this.place, ...row })) };
  }

  neighbors(): NeighborReport[] {
    const { neighbors } = this.running.stack.net;
    const { ms } = this.running.stack.clock;
    return neighbors.all().map((neighbor) => {
      const { w0, w1, w2, w3, macHigh, macLow, state, references, waiting } = neighbor;
      const isKnown = macHigh !== 0 || macLow !== 0;
      const age = (ms - neighbor.confirmedAt) >>> 0;
      return {
        ...this.place,
        address: String(new Address(w0, w1, w2, w3)),
        mac: isKnown ? Mac.format(macHigh, macLow) : '',
        state: this.#stateOf(neighbor),
        ageMs: state === STATIC ? 0 : age,
        references,
        waiting,
      };
    });
  }

  stats({ driver = true }: StatsRequest = {}): StatsReport {
    const { stack, loop, port, link } = this.running;
    const { turns, sleeps, oversleeps, wakes } = loop;
    const neighbors: Record<string, number> = {};
    for (const neighbor of stack.net.neighbors.all()) {
      const state = this.#stateOf(neighbor);
      neighbors[state] = (neighbors[state] ?? 0) + 1;
    }
    return {
      ...this.place,
      ...readSheet(this.sheet),
      isLate: false,
      counts: stack.counts(),
      neighbors,
      loop: { turns, sleeps, oversleeps, wakes },
      link: { ...link?.counters() },
      features: this.#features(),
      device: port === null ? null : deviceReport(port, driver),
    };
  }

  #features(): Record<string, string> {
    const { txChecksum, rxChecksum, segmentation } = this.running.device?.features ?? NO_FEATURES;
    return { txChecksum, rxChecksum, segmentation };
  }

  #stateOf({ state, confirmedAt }: Neighbor): string {
    const { net, clock } = this.running.stack;
    // Its age is looked at when something is sent.
    const age = (clock.ms - confirmedAt) >>> 0;
    const isOld = state === REACHABLE && age >= net.neighbors.reachableMs;
    return isOld ? 'stale' : (NEIGHBOR_STATES[state] ?? '?');
  }

  listeners(): ListenerReport[] {
    return this.running.stack.tcp.listeners.all().map((listener) => ({
      ...this.place,
      address: listener.address === null ? '*' : String(listener.address),
      tcpPort: listener.port,
      waiting: listener.waiting,
      halfOpen: listener.halfOpen,
    }));
  }
}

const NO_FEATURES = { txChecksum: 'none', rxChecksum: 'none', segmentation: 'none' };
