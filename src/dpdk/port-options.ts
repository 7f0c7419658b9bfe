/**
 * What a program asks of a port, and what follows from it before the device is touched.
 * @module
 */
import type { DeviceInfo } from './addon.ts';
import type { EalOptions } from './eal.ts';
import {
  ETHERNET_MAX,
  estimateBytes,
  type PacketMemoryOptions,
  SEGMENT_BYTES_MAX,
} from './packet-memory.ts';

export interface PortOptions {
  /** A virtual device, 'net_memif0,role=client,socket=/run/x.sock', or a PCI address. */
  readonly device: string;
  /** Receive and transmit queues, one link each; default 1. */
  readonly queues?: number;
  /** Largest IP packet; default what the device has. */
  readonly mtu?: number;
  /** The largest MTU that setMtu() may give the running port; default and least `mtu`. */
  readonly mtuMax?: number;
  /**
   * Bytes of a frame that one receive buffer holds, where the device can put longer ones into
   * several; default whole frames. At least 2,048.
   */
  readonly rxBufferBytes?: number;
  /** Descriptors per queue; default what the driver likes, or 512. Cut to what it allows. */
  readonly rxDescriptors?: number;
  readonly txDescriptors?: number;
  /** Receive buffers of each queue beyond those in its descriptors; default 512, at least 128. */
  readonly rxBuffers?: number;
  /**
   * Receive buffers that the queues share, for the one whose own are used up; default 2048 for each
   * queue. With one queue there are none.
   */
  readonly sharedBuffers?: number;
  /** Memory for each queue's stack (socket buffers); default 64 MiB. */
  readonly heapBytes?: number;
  /** Six bytes; default the device's, or a random local one where it has none. */
  readonly mac?: Uint8Array;
  /** Receive what is addressed to others too; default false. */
  readonly promiscuous?: boolean;
  /** Let the hardware do checksums where it can; default true. */
  readonly hardwareChecksums?: boolean;
  /**
   * Most payload of a segment that the stack hands down in one piece, for the port to cut: the
   * hardware where it can, else the addon. Default 32000; 0: the stack cuts itself.
   */
  readonly segmentBytes?: number;
  /** Let the hardware cut segments where it can; default true. */
  readonly hardwareSegmentation?: boolean;
  /**
   * Join what arrives at once of one flow of TCP, in order, to one large segment (GRO); default
   * true. Not what is to be captured or counted as it was on the wire.
   */
  readonly join?: boolean;
  /**
   * For tests: the share (0 to 1) of flows whose frames are treated as if the device had received
   * them on another queue than theirs; default 0.
   */
  readonly astray?: number;
  /** How EAL starts, if this is the first port of the process. */
  readonly eal?: EalOptions;
}

/** Pools of an arena (native/src/arena.h) by those of a queue. */
const QUEUES_MAX = 128;
const DEFAULT_DESCRIPTORS = 512;
export const DEFAULT_MTU = 1500;
const DEFAULT_HEAP_BYTES = 64 << 20;
const DEFAULT_SEGMENT_BYTES = 32_000;
const MEMORY_MIN_MB = 1024;
/** Of net_memif, when nothing else is asked for. */
const MEMIF_BUFFER_BYTES = 2048;
/** Two bursts: one that the stack looks at, one that comes. */
const RX_BUFFERS_MIN = 128;

/** 'net_tap0' of 'net_tap0,iface=x'. */
export function deviceName(options: PortOptions): string {
  return options.device.split(',')[0]!;
}

/**
 * The device with what it needs for its MTU. A memif's buffers are of its client's choice and have
 * 2 KiB unless told; a frame in several of them makes net_memif's sender overrun a full ring, so each
 * frame gets one of its own.
 */
export function deviceArguments({ device, mtu, mtuMax }: PortOptions): string {
  const largest = Math.max(mtu ?? 0, mtuMax ?? 0);
  if (!device.startsWith('net_memif') || largest <= DEFAULT_MTU || /,bsize=/.test(device)) {
    return device;
  }
  return `${device},bsize=${Math.max(largest + ETHERNET_MAX, MEMIF_BUFFER_BYTES)}`;
}

/** The memory a port needs; `info` is that of its device, null while that is not known. */
export function memoryOptions(options: PortOptions, info: DeviceInfo | null): PacketMemoryOptions {
  return {
    queues: Math.min(
      options.queues ?? 1,
      info?.maxRxQueues ?? QUEUES_MAX,
      info?.maxTxQueues ?? QUEUES_MAX,
      QUEUES_MAX,
    ),
    mtu: Math.max(options.mtu ?? (info?.mtu || DEFAULT_MTU), options.mtuMax ?? 0),
    rxDescriptors: options.rxDescriptors ?? (info?.rxDescriptors || DEFAULT_DESCRIPTORS),
    txDescriptors: options.txDescriptors ?? (info?.txDescriptors || DEFAULT_DESCRIPTORS),
    segmentBytes: Math.min(options.segmentBytes ?? DEFAULT_SEGMENT_BYTES, SEGMENT_BYTES_MAX),
    join: options.join ?? true,
    ...(options.rxBufferBytes === undefined ? {} : { rxBufferBytes: options.rxBufferBytes }),
    ...(options.rxBuffers === undefined
      ? {}
      : { rxBuffers: Math.max(options.rxBuffers, RX_BUFFERS_MIN) }),
    ...(options.sharedBuffers === undefined ? {} : { sharedBuffers: options.sharedBuffers }),
    heapBytes: options.heapBytes ?? DEFAULT_HEAP_BYTES,
    socket: info?.socket ?? -1,
    dma: !options.device.startsWith('net_') || options.device.startsWith('net_virtio'),
  };
}

/** For the first port of a process: PCI only when it is asked for; memory for it and as much again. */
export function ealOptions(options: PortOptions): EalOptions {
  const isPci = /^([0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/i.test(options.device);
  const needMb = estimateBytes(memoryOptions(options, null)) / (1 << 20);
  return {
    memoryMb: Math.max(MEMORY_MIN_MB, Math.ceil(needMb * 2) + 64),
    ...(isPci ? { pci: [options.device] } : {}),
    ...options.eal,
  };
}
