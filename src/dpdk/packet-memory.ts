/**
 * Packet memory: the pools of a port, the rings of its queues and the heaps of their stacks, in
 * one contiguous region (native/src/arena.h).
 * @module
 */
import { SLOT_BYTES, SLOT_TRANSPORT } from '../link/layout.gen.ts';
import { Arena } from '../storage/arena.ts';
import { type ArenaLayout, addon, type PoolOptions, type PoolUsage } from './addon.ts';
import { explained } from './dpdk-error.ts';

/** The granularity of slots, and DPDK's own bytes before each. */
const SLOT_GRAIN = 64;
const SLOT_HEADER = 3 * SLOT_GRAIN;
/** Ethernet header with a VLAN tag. */
export const ETHERNET_MAX = 18;
/** The longest TCP header. */
const TCP_MAX = 60;
/** Slots beyond those in the device: the ring and its table, what waits, the pool's cache. */
const SPARE = 512;
/**
 * What waits in the ring of a queue that stands still may all be one other queue's: so many for
 * each queue are shared, and whoever needs them has them.
 */
const HANDED = 2048;
/** Pools of each queue. */
const POOLS = 4;
/** Large buffers for a burst of frames that came in several. */
const GATHER_BUFFERS = 64;
/** Large buffers for joined segments, one for each flow of a burst (JOINING_MAX in native/src). */
const JOIN_BUFFERS = 8;
/**
 * The largest segment: an mbuf's buffer is below 64 KiB.
 */
export const SEGMENT_BYTES_MAX = 65_000;

export interface PacketMemoryOptions {
  readonly queues: number;
  /** The largest that the port may ever have. */
  readonly mtu: number;
  /** Bytes of a frame in one receive buffer; default a whole frame. */
  readonly rxBufferBytes?: number;
  readonly rxDescriptors: number;
  readonly txDescriptors: number;
  /** Most payload of a segment that the port cuts, 0: none. */
  readonly segmentBytes: number;
  /** Received segments are joined. */
  readonly join: boolean;
  /** Receive buffers of each queue beyond its descriptors; default 512. */
  readonly rxBuffers?: number;
  /** Those that the queues share, when there are several; default 2048 for each. */
  readonly sharedBuffers?: number;
  /** For each queue's stack. */
  readonly heapBytes: number;
  /** NUMA node, -1: any. */
  readonly socket: number;
  /** True where the device needs DPDK's own memory: hardware, virtio_user. */
  readonly dma: boolean;
}

export class PacketMemory {
  readonly layout: ArenaLayout;
  readonly heapBytes: number;
  readonly queues: number;
  readonly segmentBytes: number;
  readonly #joins: boolean;

  /** Throws DpdkError ENOMEM. */
  constructor(options: PacketMemoryOptions) {
    this.queues = options.queues;
    this.segmentBytes = options.segmentBytes;
    this.#joins = options.join;
    this.heapBytes = Math.ceil(options.heapBytes / SLOT_GRAIN) * SLOT_GRAIN;
    const pools = portPools(options);
    this.layout = explained('packet memory', () =>
      addon().arenaCreate({
        pools,
        rings: options.queues,
        heapBytes: this.heapBytes * options.queues,
        socket: options.socket,
        anonymous: !options.dma && addon().ealState().hugepages !== true,
      }),
    );
  }

  /** Index of the pool a queue receives into. */
  rxPool(queue: number): number {
    return queue * POOLS;
  }

  /** Of the one its transmit slots come from. */
  txPool(queue: number): number {
    return queue * POOLS + 1;
  }

  /** Of the one for frames cut from large segments. */
  cutPool(queue: number): number {
    return queue * POOLS + 2;
  }

  /** Of the one for segments joined of received ones; -1: there is none. */
  joinPool(queue: number): number {
    return this.#joins ? queue * POOLS + 3 : -1;
  }

  /** Of the one for frames that came in several buffers. */
  gatherPool(queue: number): number {
    return queue * POOLS + 3;
  }

  /** The bytes of the region that belong to a queue's stack. */
  heapAt(queue: number): number {
    return this.layout.heapAt + queue * this.heapBytes;
  }

  /** Zeros in a queue's heap. */
  wipeHeap(queue: number): void {
    const from = this.heapAt(queue);
    addon().arenaWipe(this.layout.id, from, from + this.heapBytes);
  }

  /** The region as this thread's ArrayBuffer. */
  get buffer(): ArrayBuffer {
    return wrap(this.layout.id);
  }

  /**
   * Slots in use, per pool: received, to transmit, cut, joined, of queue 0, of queue 1, ...; at the
   * end, with several queues, the one that they share.
   */
  usage(): PoolUsage[] {
    return addon().arenaUsage(this.layout.id);
  }

  /** Detaches this thread's buffer and gives the memory up; other threads keep theirs. */
  close(): void {
    addon().arenaFree(this.layout.id);
    unwrap(this.layout.id);
  }
}

/** Bytes a port's memory will need, roughly: to size EAL's. */
export function estimateBytes(options: PacketMemoryOptions): number {
  const pools = portPools(options).reduce((sum, { count, room }) => {
    return sum + count * (SLOT_HEADER + room);
  }, 0);
  return pools + options.queues * (options.heapBytes + 16384);
}

/** A queue's part of a region as an Arena for its stack. */
export function arenaOver(buffer: ArrayBuffer, heapAt: number, heapBytes: number): Arena {
  return new Arena(buffer, heapAt, heapAt + heapBytes);
}

/** This thread's ArrayBuffers. An id is not given to other memory while one of them shows it. */
const wrapped = new Map<number, ArrayBuffer>();

/** The region with that id as this thread's ArrayBuffer, which lives until unwrap(). */
export function wrap(id: number): ArrayBuffer {
  let buffer = wrapped.get(id);
  if (buffer === undefined) {
    buffer = explained('packet memory', () => addon().arenaWrap(id));
    wrapped.set(id, buffer);
  }
  return buffer;
}

/** Detaches this thread's ArrayBuffer of the region, if it has one. */
export function unwrap(id: number): void {
  const buffer = wrapped.get(id);
  if (buffer !== undefined) addon().arenaUnwrap(id, buffer);
  wrapped.delete(id);
}

/** The pools of all queues, and the one that they share. */
function portPools(options: PacketMemoryOptions): PoolOptions[] {
  const { queues } = options;
  if (queues === 1) return queuePools(options, {});
  const shared = queues * POOLS;
  return [
    ...Array.from({ length: queues }, () => queuePools(options, { shared })).flat(),
    {
      count: options.sharedBuffers ?? queues * HANDED,
      room: rxRoom(options),
      uncached: true,
    },
  ];
}

/**
 * The pools of a queue. Each has what the device, the burst and the stack can hold at once, with
 * a cache's worth to spare. Cut frames are on their way at once, so few are enough.
 */
function queuePools(
  options: PacketMemoryOptions,
  borrowing: Pick<PoolOptions, 'shared'>,
): PoolOptions[] {
  const room = roomOf(options.mtu);
  const large = Math.max(room, roomOf(options.segmentBytes + TCP_MAX));
  return [
    {
      count: options.rxDescriptors + (options.rxBuffers ?? SPARE),
      room: rxRoom(options),
      ...borrowing,
    },
    { count: options.txDescriptors + SPARE, room: large },
    { count: options.segmentBytes === 0 ? 1 : options.txDescriptors + SPARE, room },
    {
      count: JOIN_BUFFERS + (scatters(options) ? GATHER_BUFFERS : 0),
      room: roomOf(SEGMENT_BYTES_MAX),
    },
  ];
}

/** Bytes of a slot: a whole frame fits wherever DPDK or the stack lets it begin. */
function roomOf(mtu: number): number {
  return roundUp(Math.max(SLOT_BYTES, SLOT_TRANSPORT + ETHERNET_MAX + mtu));
}

/** Bytes of a receive buffer. */
function rxRoom({ rxBufferBytes, mtu }: PacketMemoryOptions): number {
  return roomOf(rxBufferBytes === undefined ? mtu : Math.min(rxBufferBytes - ETHERNET_MAX, mtu));
}

/** Frames may be longer than a receive buffer. */
export function scatters(options: PacketMemoryOptions): boolean {
  return rxRoom(options) < roomOf(options.mtu);
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / SLOT_GRAIN) * SLOT_GRAIN;
}
