/**
 * A port: a running device with its memory, its links and its counters.
 * @module
 */
import { STEER_ENTRIES } from '../link/layout.gen.ts';
import type { Steering } from '../link/steering.ts';
import { addon, type DeviceStats, type PoolUsage, type QueueCounters } from './addon.ts';
import { DpdkError } from './dpdk-error.ts';
import type { Eal } from './eal.ts';
import type { EthDev } from './eth-dev.ts';
import { FlowRules } from './flow-rules.ts';
import { DpdkLink, type LinkDescription } from './link.ts';
import { changeMtu } from './mtu.ts';
import { type PacketMemory, wrap } from './packet-memory.ts';
import { memoryOptions, type PortOptions } from './port-options.ts';
import { setUp, writeTable } from './port-setup.ts';
import { RECONNECT_MS, Reconnect } from './reconnect.ts';

/** A running device with its memory and links. */
export class Port {
  readonly eal: Eal;
  readonly device: EthDev;
  /** One per queue, for this thread; `description` makes one in another. */
  readonly links: readonly DpdkLink[];
  /** Which queue a flow belongs to, as every link has it; null: there is one queue only. */
  readonly steering: Steering | null;
  /** What becomes of frames that match a pattern. */
  readonly flows: FlowRules;
  /** What was asked for and could not be had, one sentence each. */
  readonly notices: readonly string[];
  readonly #memory: PacketMemory;
  readonly #mtuMax: number;
  readonly #steeringId: number;
  readonly #hardwareSteering: boolean;
  readonly #reconnect = new Reconnect();
  #reconnecting: ReturnType<typeof setInterval> | null = null;
  #closed = false;

  /** Use openPort(). */
  constructor(eal: Eal, device: EthDev, memory: PacketMemory, options: PortOptions) {
    this.eal = eal;
    this.device = device;
    this.#memory = memory;
    this.#mtuMax = memoryOptions(options, device.info).mtu;
    const parts = setUp(device, memory, options);
    this.notices = parts.notices;
    this.links = parts.links;
    this.steering = parts.steering;
    this.#steeringId = parts.steeringId;
    this.#hardwareSteering = parts.hardwareSteering;
    this.flows = new FlowRules(device.port, memory.queues);
    this.#start(options);
    eal.adopt(this);
  }

  /** The device's counters. */
  stats(): DeviceStats {
    return this.device.stats();
  }

  /** The addon's counters, for each queue. */
  counters(): Partial<QueueCounters>[] {
    return this.links.map((link) => link.counters());
  }

  /** Slots in use: pools for receiving, sending and cutting of queue 0, of queue 1, ... */
  usage(): PoolUsage[] {
    return this.#memory.usage();
  }

  /**
   * Makes the queue of a worker that ended without closing its link usable again: every slot that
   * its stack held is given back, its heap is wiped, its link here is a new one, whose description
   * is for the next worker. What waits for the queue in its ring stays. Call it when the worker
   * has ended: nobody may use the old link any more.
   */
  reclaim(queue: number): DpdkLink {
    const { description } = this.links[queue]!;
    const handle = addon().queueReclaim(description.handle);
    this.#memory.wipeHeap(queue);
    const link = new DpdkLink({ ...description, handle }, this.#memory.buffer);
    (this.links as DpdkLink[])[queue] = link;
    return link;
  }

  /**
   * Gives entries of the steering's table other queues: entry 0 the first of `queues`, and so on;
   * the rest stay. Done in the addon when none of an entry's frames is between two queues, and in
   * a device that has our table at once: what it has received before the new queue may overtake.
   */
  spread(queues: readonly number[]): void {
    const { steering } = this;
    if (steering === null) return;
    for (const [entry, queue] of queues.slice(0, STEER_ENTRIES).entries()) {
      if (queue < 0 || queue >= steering.queues) throw new RangeError(`there is no queue ${queue}`);
      steering.assign(entry, queue);
    }
    if (this.#hardwareSteering) writeTable(this.device, steering);
  }

  /** The largest IP packet. */
  get mtu(): number {
    return this.links[0]!.mtu;
  }

  /**
   * Changes the largest IP packet while the port runs, up to the `mtuMax` it was opened with. The
   * stacks on its links hear of it in their next poll: new connections offer what fits now, old ones
   * send no more than that. Returns what the device has now. Throws DpdkError when it refuses.
   */
  setMtu(mtu: number): number {
    return changeMtu(this.device, mtu, this.#mtuMax);
  }

  /** A descriptor that is readable when queue has frames, -1 where the driver has none. */
  rxInterruptFd(queue: number): number {
    return this.device.rxInterruptFd(queue);
  }

  /** Resolves when the link is up; rejects with DpdkError ETIMEDOUT. */
  async linkUp(timeoutMs = 5000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!this.device.link.up) {
      if (Date.now() > deadline) {
        throw new DpdkError({
          code: 'ETIMEDOUT',
          operation: this.device.info.name,
          reason: `no link after ${timeoutMs} ms`,
          log: [],
          remedy: 'is the other end there, and up?',
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Stops the device, takes all slots back, detaches the memory. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#reconnecting !== null) clearInterval(this.#reconnecting);
    for (const link of this.links) link.close();
    addon().steeringClose(this.#steeringId);
    this.device.detach();
    this.#memory.close();
    this.eal.release(this);
  }

  /** A memif client is started until its server is there, and whenever it has lost it. */
  #start(options: PortOptions): void {
    const client =
      this.device.info.driver === 'net_memif' && /role=(client|slave)/.test(options.device);
    if (client) {
      this.#connect();
      this.#reconnecting = setInterval(() => this.#connect(), RECONNECT_MS);
      this.#reconnecting.unref();
    } else {
      this.device.start();
      // Some drivers start with a table of their own.
      if (this.steering !== null && this.#hardwareSteering) writeTable(this.device, this.steering);
    }
    this.device.receiveGroups();
    if (options.promiscuous === true) this.device.setPromiscuous(true);
  }

  #connect(): void {
    const reconnect = this.#reconnect;
    const isUp = reconnect.isStarted && this.device.link.up;
    if (!reconnect.isDue(performance.now(), isUp)) return;
    try {
      if (reconnect.isStarted) this.device.stop();
      reconnect.stopped();
      this.device.start();
      reconnect.started(performance.now());
    } catch {
      // No server yet: the next round tries again.
    }
  }
}

/** In another thread: the link of a queue whose description was posted there. */
export function openLink(description: LinkDescription): DpdkLink {
  return new DpdkLink(description, wrap(description.arena));
}
