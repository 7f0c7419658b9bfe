/**
 * A port: a running device with its memory, its links and its counters.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { STEER_WORDS } from '../link/layout.gen.ts';
import type { LinkFeatures } from '../link/link.ts';
import { initSteering, type Steering } from '../link/steering.ts';
import {
  addon,
  type Configured,
  type DeviceStats,
  type PoolUsage,
  type QueueCounters,
} from './addon.ts';
import { DpdkError } from './dpdk-error.ts';
import type { Eal } from './eal.ts';
import type { EthDev } from './eth-dev.ts';
import { FlowRules } from './flow-rules.ts';
import { DpdkLink, type LinkDescription } from './link.ts';
import { type PacketMemory, type PacketMemoryOptions, wrap } from './packet-memory.ts';
import { memoryOptions, type PortOptions } from './port-options.ts';
import { RECONNECT_MS, Reconnect } from './reconnect.ts';

/** Drivers whose receive queues have a descriptor to sleep on. */
const INTERRUPT_DRIVERS = ['net_tap', 'net_vhost', 'net_virtio_user', 'net_virtio'];
/** Of those, the ones whose descriptor counts and must be read; a tap's gives the frames. */
const EVENTFD_DRIVERS = ['net_vhost', 'net_virtio_user', 'net_virtio'];
/** Drivers that put frames on no wire: whoever is behind them gets short ones as they are. */
const DRIVERS_WITHOUT_WIRE = [
  'net_memif',
  'net_null',
  'net_pcap',
  'net_ring',
  'net_tap',
  'net_vhost',
  'net_virtio_user',
];
/** The shortest Ethernet frame, without its check sequence. */
const FRAME_MIN_BYTES = 60;

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
  readonly #steeringId: number;
  readonly #reconnect = new Reconnect();
  #reconnecting: ReturnType<typeof setInterval> | null = null;
  #closed = false;

  /** Use openPort(). */
  constructor(eal: Eal, device: EthDev, memory: PacketMemory, options: PortOptions) {
    this.eal = eal;
    this.device = device;
    this.#memory = memory;
    const wanted = memoryOptions(options, device.info);
    const configured = configure(device, memory, wanted, options);
    this.notices = noticesOf(wanted, configured, options);
    this.#steeringId = openSteering(memory, options);
    this.links = makeLinks(
      device,
      memory,
      configured,
      options.mac ?? stationMac(device),
      this.#steeringId,
    );
    this.steering = this.links[0]!.steering;
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
    }
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

/** The steering of several queues; -1: there is one. */
function openSteering({ queues, layout, buffer }: PacketMemory, options: PortOptions): number {
  if (queues === 1) return -1;
  const words = new Int32Array(buffer, layout.steeringAt, STEER_WORDS);
  const steering = initSteering(words, queues, randomBytes(2).readUInt16LE());
  steering.sendAstray(options.astray ?? 0);
  return addon().steeringOpen({ arena: layout.id, at: layout.steeringAt, queues });
}

function makeLinks(
  device: EthDev,
  memory: PacketMemory,
  configured: Configured,
  mac: Uint8Array,
  steering: number,
): DpdkLink[] {
  const { info } = device;
  const features: LinkFeatures = {
    txChecksum: configured.txChecksums ? 'hardware' : 'software',
    rxChecksum: configured.rxChecksums ? 'hardware' : 'software',
    segmentation: configured.segmentation
      ? 'hardware'
      : memory.segmentBytes > 0
        ? 'software'
        : 'none',
  };
  return Array.from({ length: memory.queues }, (_, queue) => {
    const ringAt = memory.layout.rings[queue]!;
    const handle = addon().queueOpen({
      arena: memory.layout.id,
      pool: memory.txPool(queue),
      rxPool: memory.rxPool(queue),
      steering,
      ringAt,
      port: device.port,
      queue,
      guarded: info.driver === 'net_memif',
      drain: info.driver === 'net_ring',
      hardwareTxSums: configured.txChecksums,
      hardwareRxSums: configured.rxChecksums,
      unfinishedSums: ['net_af_packet', 'net_af_xdp'].includes(info.driver),
      hardwareSegmentation: configured.segmentation,
      frameMax: configured.mtu + 18,
      frameMin: DRIVERS_WITHOUT_WIRE.includes(info.driver) ? 0 : FRAME_MIN_BYTES,
      segmentMax: memory.segmentBytes,
      cutPool: memory.cutPool(queue),
      joinPool: memory.joinPool(queue),
    });
    const description: LinkDescription = {
      name: `${info.name} queue ${queue}`,
      handle,
      arena: memory.layout.id,
      ringAt,
      steeringAt: steering < 0 ? -1 : memory.layout.steeringAt,
      queue,
      heapAt: memory.heapAt(queue),
      heapBytes: memory.heapBytes,
      mac,
      mtu: configured.mtu,
      segmentBytes: memory.segmentBytes,
      features,
      drainInterrupt: EVENTFD_DRIVERS.includes(info.driver),
    };
    return new DpdkLink(description, memory.buffer);
  });
}

function configure(
  device: EthDev,
  memory: PacketMemory,
  wanted: PacketMemoryOptions,
  options: PortOptions,
): Configured {
  return device.configure({
    arena: memory.layout.id,
    rxPools: Array.from({ length: wanted.queues }, (_, queue) => memory.rxPool(queue)),
    rxQueues: wanted.queues,
    txQueues: wanted.queues,
    rxDescriptors: wanted.rxDescriptors,
    txDescriptors: wanted.txDescriptors,
    mtu: options.mtu ?? 0,
    hardwareChecksums: options.hardwareChecksums ?? true,
    // The tap driver's segmentation is software, and knows IPv4 only: ours is both.
    hardwareSegmentation:
      (options.hardwareSegmentation ?? true) &&
      wanted.segmentBytes > 0 &&
      device.info.driver !== 'net_tap',
    rss: true,
    interrupts: INTERRUPT_DRIVERS.includes(device.info.driver),
  });
}

function noticesOf(
  wanted: PacketMemoryOptions,
  configured: Configured,
  options: PortOptions,
): string[] {
  const notices: string[] = [];
  if (options.queues !== undefined && wanted.queues < options.queues) {
    notices.push(`queues cut to ${wanted.queues} of ${options.queues}: the device's limit`);
  }
  const { rxDescriptors, txDescriptors } = configured;
  if (rxDescriptors !== wanted.rxDescriptors || txDescriptors !== wanted.txDescriptors) {
    notices.push(
      `descriptors cut to ${rxDescriptors} receive, ${txDescriptors} transmit: the device's limits`,
    );
  }
  if (options.mtu !== undefined && configured.mtu !== options.mtu) {
    notices.push(`mtu ${options.mtu} was asked, the device has ${configured.mtu}`);
  }
  return notices;
}

/**
 * The address our side uses. A TAP device's own is the kernel's end of the same wire, so ours
 * must differ; a ring has none.
 */
function stationMac(device: EthDev): Uint8Array {
  const mac = device.mac;
  if (mac.every((byte) => byte === 0)) return randomMac();
  if (device.info.driver === 'net_tap') mac[5]! ^= 1;
  return mac;
}

/** Locally administered, unicast. */
function randomMac(): Uint8Array {
  const mac = new Uint8Array(randomBytes(6));
  mac[0] = (mac[0]! & 0xfc) | 2;
  return mac;
}
