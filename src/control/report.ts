/**
 * What a running stack tells about itself when it is asked: plain objects that can be posted to
 * another thread and written as JSON. Nothing here is kept up while nobody asks.
 * @module
 */
import { Address } from '../base/address.ts';
import type { PortConfig } from '../config/config.ts';
import { REACHABLE, STATIC } from '../net/neighbor/neighbor.ts';
import * as NetStats from '../net/stats.ts';
import { allowedCpus } from '../runtime/cpus.ts';
import { findDevice } from '../runtime/find-device.ts';
import type { RunningStack } from '../runtime/open-stack.ts';
import type { StackCounts, StackReport } from '../stack/index.ts';
import * as Mac from '../wire/mac.ts';
import { type ConnectionFilter, type ConnectionReport, connectionsOf } from './connections.ts';

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

export interface StatsReport extends StackPlace {
  readonly counts: StackCounts;
  /** Counters that are not zero, by name. */
  readonly counters: StackReport;
  /** Of the port's interface alone, without the loopback. */
  readonly interface: Readonly<Record<string, number>>;
  readonly loop: { readonly turns: number; readonly sleeps: number; readonly oversleeps: number };
  /** The device's, its driver's own, and what its pools hold; null without a device. */
  readonly device: Readonly<Record<string, number>> | null;
  readonly driver: Readonly<Record<string, number>> | null;
  readonly pools: readonly { readonly size: number; readonly inUse: number }[];
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

  constructor(running: RunningStack, place: StackPlace) {
    this.running = running;
    this.place = place;
  }

  queue(): QueueReport {
    const { device, config } = this.running;
    const { txChecksum, rxChecksum, segmentation } = device?.features ?? NO_FEATURES;
    return {
      ...this.place,
      device: device?.name ?? 'loopback',
      driver: device?.driver ?? 'none',
      addresses: config.network.addresses.map(String),
      mac: device?.mac ?? '',
      mtu: device?.mtu ?? 0,
      features: { txChecksum, rxChecksum, segmentation },
    };
  }

  connections(filter: ConnectionFilter): (StackPlace & ConnectionReport)[] {
    return connectionsOf(this.running.stack, filter).map((report) => ({
      ...this.place,
      ...report,
    }));
  }

  neighbors(): NeighborReport[] {
    const { neighbors } = this.running.stack.net;
    const { ms } = this.running.stack.clock;
    return neighbors.all().map((neighbor) => {
      const { w0, w1, w2, w3, macHigh, macLow, state, references, waiting } = neighbor;
      const isKnown = macHigh !== 0 || macLow !== 0;
      const age = (ms - neighbor.confirmedAt) >>> 0;
      const isOld = state === REACHABLE && age >= neighbors.reachableMs;
      return {
        ...this.place,
        address: String(new Address(w0, w1, w2, w3)),
        mac: isKnown ? Mac.format(macHigh, macLow) : '',
        // Its age is looked at when something is sent.
        state: isOld ? 'stale' : (NEIGHBOR_STATES[state] ?? '?'),
        ageMs: state === STATIC ? 0 : age,
        references,
        waiting,
      };
    });
  }

  stats(): StatsReport {
    const { stack, loop, port } = this.running;
    const nic = stack.net.nics.find(({ loopback }) => loopback === 0);
    const values = nic?.counters ?? NetStats.nicFamily.values();
    const names = NetStats.nicFamily.names.map(({ name }, index) => [name, values[index]!]);
    const { turns, sleeps, oversleeps } = loop;
    return {
      ...this.place,
      counts: stack.counts(),
      counters: stack.report(),
      interface: Object.fromEntries(names) as Record<string, number>,
      loop: { turns, sleeps, oversleeps },
      device: port === null ? null : { ...port.stats() },
      driver: port === null ? null : port.device.xstats(),
      pools: port === null ? [] : port.usage(),
    };
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
