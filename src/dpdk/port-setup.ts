/**
 * What is done once for a port, before its device starts: offloads asked for, queues opened, and
 * the report of who does what.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { STEER_ENTRIES, STEER_WANTED, STEER_WORDS } from '../link/layout.gen.ts';
import type { LinkFeatures } from '../link/link.ts';
import { initSteering, type Steering } from '../link/steering.ts';
import { addon, type Configured } from './addon.ts';
import type { EthDev } from './eth-dev.ts';
import { DpdkLink, type LinkDescription } from './link.ts';
import { type PacketMemory, type PacketMemoryOptions, scatters } from './packet-memory.ts';
import { DEFAULT_MTU, memoryOptions, type PortOptions } from './port-options.ts';

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

/** A port's parts, ready to start. */
export interface PortParts {
  readonly links: DpdkLink[];
  readonly steering: Steering | null;
  /** The addon's; -1: there is one queue. */
  readonly steeringId: number;
  readonly notices: string[];
  /** The device has our key and takes our table. */
  readonly hardwareSteering: boolean;
}

/** Configures the device and opens its queues. Throws DpdkError. */
export function setUp(device: EthDev, memory: PacketMemory, options: PortOptions): PortParts {
  const wanted = memoryOptions(options, device.info);
  const steering = makeSteering(memory, options);
  const configured = configure(device, memory, wanted, options, steering?.key ?? 0);
  const hardwareSteering =
    steering !== null && configured.rssFunctions.length > 0 && writeTable(device, steering);
  const steeringId = openSteering(memory);
  const features = featuresOf(device, memory, configured, hardwareSteering);
  const mac = options.mac ?? stationMac(device);
  const links = makeLinks(device, memory, configured, features, mac, steeringId);
  const notices = noticesOf(wanted, configured, options);
  return { links, steering, steeringId, notices, hardwareSteering };
}

/** Gives the device the steering's table; false when it has none, or another key. */
export function writeTable(device: EthDev, steering: Steering): boolean {
  const table = Array.from(
    { length: STEER_ENTRIES },
    (_, entry) => steering.words[STEER_WANTED + entry]!,
  );
  return addon().rssWrite(device.port, steering.key, table);
}

function makeSteering(
  { queues, layout, buffer }: PacketMemory,
  options: PortOptions,
): Steering | null {
  if (queues === 1) return null;
  const words = new Int32Array(buffer, layout.steeringAt, STEER_WORDS);
  const steering = initSteering(words, queues, randomBytes(2).readUInt16LE());
  steering.sendAstray(options.astray ?? 0);
  return steering;
}

/** The addon's part of the steering of several queues; -1: there is one. */
function openSteering({ queues, layout }: PacketMemory): number {
  if (queues === 1) return -1;
  return addon().steeringOpen({ arena: layout.id, at: layout.steeringAt, queues });
}

/** Who does what: the device where it can, else the addon, or the stack (VLAN), or nobody. */
function featuresOf(
  device: EthDev,
  memory: PacketMemory,
  configured: Configured,
  hardwareSteering: boolean,
): LinkFeatures {
  const software = memory.segmentBytes > 0 ? 'software' : 'none';
  return {
    txChecksum: configured.txChecksums ? 'hardware' : 'software',
    rxChecksum: configured.rxChecksums ? 'hardware' : 'software',
    segmentation: configured.segmentation ? 'hardware' : software,
    joining: memory.joinPool(0) < 0 ? 'none' : 'software',
    steering: memory.queues === 1 ? 'none' : hardwareSteering ? 'hardware' : 'software',
    waking: INTERRUPT_DRIVERS.includes(device.info.driver) ? 'hardware' : 'software',
    flowRules: 'software',
    vlan: 'software',
    timestamps: 'none',
  };
}

function makeLinks(
  device: EthDev,
  memory: PacketMemory,
  configured: Configured,
  features: LinkFeatures,
  mac: Uint8Array,
  steering: number,
): DpdkLink[] {
  const { info } = device;
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
      gatherPool: memory.gatherPool(queue),
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
  key: number,
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
    scatter: scatters(wanted),
    jumbo: wanted.mtu > DEFAULT_MTU,
    rssKey: key,
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
