/**
 * The C addon as TypeScript sees it. Everything above uses the classes of this folder instead.
 *
 * The functions are native/src/*.c; the names in `exports` of addon.c are the names here. All of
 * them may be called from any worker; ids and handles are plain numbers that may be passed on.
 * @module
 */
import { createRequire } from 'node:module';
import { DpdkError } from './dpdk-error.ts';

export interface ArenaLayout {
  readonly id: number;
  readonly bytes: number;
  /** Byte offset of each ring. */
  readonly rings: number[];
  /** Of the steering's tables. */
  readonly steeringAt: number;
  /** Where the part for the stacks' heaps begins; it goes to the end. */
  readonly heapAt: number;
}

export interface PoolOptions {
  readonly count: number;
  /** Bytes of each buffer, DPDK's headroom included. */
  readonly room: number;
  /** Index of the pool that this one borrows from when it is empty. */
  readonly shared?: number;
  /** No worker keeps some of it at hand for itself. */
  readonly uncached?: boolean;
}

export interface PoolUsage {
  readonly size: number;
  readonly inUse: number;
}

/** What a device is and can do; offloads by DPDK's names ('TCP_TSO'), RSS as 'ipv4-tcp'. */
export interface DeviceInfo {
  readonly port: number;
  readonly name: string;
  readonly driver: string;
  readonly mac: string;
  /** NUMA node, -1 when it has none. */
  readonly socket: number;
  readonly mtu: number;
  readonly minMtu: number;
  readonly maxMtu: number;
  readonly maxRxQueues: number;
  readonly maxTxQueues: number;
  /** Descriptors the driver likes, 0: no opinion. */
  readonly rxDescriptors: number;
  readonly txDescriptors: number;
  readonly rxOffloads: string[];
  readonly txOffloads: string[];
  readonly rssFunctions: string[];
  readonly rssTableSize: number;
  readonly rssKeySize: number;
}

export interface ConfigureOptions {
  readonly arena: number;
  /** Index of the pool that each receive queue fills its descriptors from. */
  readonly rxPools: number[];
  readonly rxQueues: number;
  readonly txQueues: number;
  readonly rxDescriptors: number;
  readonly txDescriptors: number;
  /** 0: as it is. */
  readonly mtu: number;
  readonly hardwareChecksums: boolean;
  readonly hardwareSegmentation: boolean;
  /** Frames longer than a receive buffer may come in several of them. */
  readonly scatter: boolean;
  /** Frames may be longer than the driver's own buffers. */
  readonly jumbo: boolean;
  /** The 16 bits that the key for several queues repeats. */
  readonly rssKey: number;
  readonly interrupts: boolean;
}

export interface Configured {
  readonly rxDescriptors: number;
  readonly txDescriptors: number;
  readonly mtu: number;
  readonly txChecksums: boolean;
  readonly rxChecksums: boolean;
  readonly segmentation: boolean;
  readonly scatter: boolean;
  readonly rssFunctions: string[];
}

export interface QueueOptions {
  readonly arena: number;
  /** Index of the pool that transmit slots come from, and of what the device receives into. */
  readonly pool: number;
  readonly rxPool: number;
  /** The port's steering, -1: whatever the queue receives is its own. */
  readonly steering: number;
  readonly ringAt: number;
  readonly port: number;
  readonly queue: number;
  /** The driver's control thread changes what a burst uses (memif): native/src/guard.h. */
  readonly guarded: boolean;
  /** What was received and not fetched is freed at the end: the driver keeps it (ring). */
  readonly drain: boolean;
  readonly hardwareTxSums: boolean;
  readonly hardwareRxSums: boolean;
  /** Frames from a kernel's packet socket: it leaves sums for the wire's hardware to finish. */
  readonly unfinishedSums: boolean;
  readonly hardwareSegmentation: boolean;
  /** Longest frame the device sends, without its checksum. */
  readonly frameMax: number;
  /** Shorter frames are filled up with zeros; 0: they are not. */
  readonly frameMin: number;
  /** Most payload of a large segment; 0: there are none. */
  readonly segmentMax: number;
  /** Index of the pool for frames cut from large segments. */
  readonly cutPool: number;
  /** Index of the pool for joined received segments; -1: none are joined. */
  readonly joinPool: number;
  /** Index of the pool for frames that came in several buffers. */
  readonly gatherPool: number;
}

/** The device's counters, as it counts them. */
export interface DeviceStats {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxMissed: number;
  readonly rxErrors: number;
  readonly txErrors: number;
  readonly rxNoBuffer: number;
}

/** What the addon counts per queue. */
export interface QueueCounters {
  readonly rxFrames: number;
  readonly rxBytes: number;
  readonly txFrames: number;
  readonly txBytes: number;
  /** Of the frames received, those whose payload was appended to an earlier one's. */
  readonly rxJoined: number;
  /** Received in memory outside the arena, dropped. */
  readonly rxForeign: number;
  /** Received in several buffers and put into one. */
  readonly rxGathered: number;
  /** Received in several buffers, longer than the one for such frames, or none was left: dropped. */
  readonly rxChainTooLong: number;
  /** Refused: a slot that is not lent, or a range outside it. */
  readonly txBadDescriptor: number;
  /** Longer than the device sends, dropped. */
  readonly txTooLong: number;
  /** The driver refused to prepare it, dropped. */
  readonly txRefused: number;
  /** Times the pool had fewer slots than asked. */
  readonly noSlots: number;
  /** Received here and given to the queue of their flow. */
  readonly rxHandedOver: number;
  /** Received by other queues and given to this one; contained in rxFrames. */
  readonly rxTakenOver: number;
  /** Bursts that were put off since there were no receive buffers: what came waits in the device. */
  readonly rxNoBuffers: number;
  /** Receive buffers taken from the pool that the port's queues share, their own being used up. */
  readonly rxBorrowed: number;
  /** Dropped by a flow rule. */
  readonly rxRuledOut: number;
  /** Dropped because the ring of the flow's queue was full; counted where they were received. */
  readonly rxHandoverFull: number;
}

/** A worker as DPDK sees it. */
export interface Lcore {
  readonly lcore: number;
  /** NUMA node, -1: on none, or on several. */
  readonly socket: number;
  /** The processor it is pinned to, -1: it is not. */
  readonly cpu: number;
}

export interface EalState {
  readonly state: 'never' | 'running' | 'failed' | 'stopped';
  readonly version: string;
  readonly hugepages?: boolean;
  readonly virtualAddresses?: boolean;
}

export interface Addon {
  ealInit(args: string[]): void;
  ealState(): EalState;
  ealCleanup(): void;
  ealLog(): string;
  /** Lines since the last time, each behind the digit of its level (1 to 8); lines that did not fit. */
  ealLogTake(): { text: string; lost: number };
  ealLogEcho(on: boolean): void;
  registerThread(options: { cpu: number }): Lcore;
  unregisterThread(): void;

  arenaCreate(options: {
    pools: PoolOptions[];
    rings: number;
    heapBytes: number;
    socket: number;
    /** A mapping of its own, not DPDK's memory: for virtual devices. */
    anonymous: boolean;
  }): ArenaLayout;
  arenaWrap(id: number): ArrayBuffer;
  arenaUnwrap(id: number, buffer: ArrayBuffer): void;
  arenaFree(id: number): void;
  arenaWipe(id: number, from: number, to: number): void;
  arenaUsage(id: number): PoolUsage[];

  deviceAttach(devargs: string): number;
  deviceDetach(port: number): void;
  deviceList(): { port: number; name: string }[];
  deviceInfo(port: number): DeviceInfo;
  configure(port: number, options: ConfigureOptions): Configured;
  /** Gives the device our table; false when it has no such table, or not our key. */
  rssWrite(port: number, key: number, table: number[]): boolean;
  start(port: number): void;
  stop(port: number): void;
  link(port: number): { up: boolean; speed: number; fullDuplex: boolean };
  stats(port: number): DeviceStats;
  xstats(port: number): Record<string, number>;
  resetStats(port: number): void;
  promiscuous(port: number, on: boolean): boolean;
  /** Receives all groups' frames; false: the device has no switch for it. */
  allMulticast(port: number): boolean;
  /** Returns the MTU that the device has now. */
  setMtu(port: number, mtu: number): number;
  rxInterruptFd(port: number, queue: number): number;
  rxInterruptEnable(port: number, queue: number, on: boolean): boolean;

  ruleCreate(port: number, words: number[], offer: boolean): { id: number; hardware: boolean };
  ruleDestroy(port: number, id: number): void;
  ruleCounters(port: number, id: number): { frames: number; bytes: number };

  queueOpen(options: QueueOptions): number;
  steeringOpen(options: { arena: number; at: number; queues: number }): number;
  steeringClose(id: number): void;
  queueReclaim(handle: number): number;
  queueOnWake(handle: number, callback: () => void, drain: boolean): boolean;
  queueSleep(handle: number): boolean;
  queueWake(handle: number): void;
  queueClose(handle: number): void;
  queueCounters(handle: number): Partial<QueueCounters>;
  exchange(handle: number): number;
}

/**
 * Where the addon may be: the file that DPDK_NET_ADDON names (tools/sanitize.mjs), the published
 * package, or this repository's own build.
 */
const PLACES = process.env['DPDK_NET_ADDON']
  ? [process.env['DPDK_NET_ADDON']]
  : ['@dpdk-net/native', '../../native/build/dpdk_net.node'];

let loaded: Addon | null = null;

/** The addon, loaded once per worker. Throws DpdkError ENOENT when it is not built. */
export function addon(): Addon {
  loaded ??= load();
  return loaded;
}

function load(): Addon {
  const require = createRequire(import.meta.url);
  const reasons: string[] = [];
  for (const place of PLACES) {
    try {
      return require(place) as Addon;
    } catch (error) {
      reasons.push((error as Error).message.split('\n')[0]!);
    }
  }
  throw new DpdkError({
    code: 'ENOENT',
    operation: 'loading the addon',
    reason: reasons.at(-1)!,
    log: [],
    remedy: 'build it with `node tools/build-native.mjs`, which says what is missing',
  });
}
