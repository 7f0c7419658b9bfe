/**
 * The public door `dpdk-net/testing`: packets by hand, links to put under a stack, a clock that
 * obeys, and checks for links of your own.
 * @module
 */
export { captureLink } from '../link/capture.ts';
export { FaultLink, type FaultOptions } from '../link/fault.ts';
export type { FaultCounts, Faults } from '../link/faulty-path.ts';
export { createLoopback } from '../link/loopback.ts';
export { createPair, type PairOptions } from '../link/pair.ts';
export { PcapngWriter, type Sink } from '../link/pcapng.ts';
export { traceLink } from '../link/trace.ts';
export { allocateSimdArena } from '../storage/simd.ts';
export {
  type BulkOptions,
  type BulkPath,
  type BulkResult,
  bulk,
  jain,
  type ShareOptions,
  shares,
} from './bulk.ts';
export { bigEndian, concat, internetChecksum, type Payload, toBytes, toText } from './bytes.ts';
export { type Decoded, decode } from './decode.ts';
export { type ReceivedFrame, receiveFrames, sendFrame } from './frames.ts';
export { type FuzzOptions, type FuzzPhase, fuzz } from './fuzz.ts';
export { Injector } from './injector.ts';
export {
  type Compliance,
  type ComplianceOptions,
  type LinkEnds,
  linkCompliance,
} from './link-compliance.ts';
export { icmpQuote, mutate, repairSums } from './mutate.ts';
export {
  type EventHandler,
  type Host,
  type JoinOptions,
  Network,
  type NetworkOptions,
  type RunOptions,
  simulate,
  type Wire,
} from './network.ts';
export { arp, ethernet, icmp, icmpEcho, ip, tcp, tcpFlagNames, tcpFlags, udp } from './packet.ts';
export { type DrillOptions, type DrillResult, drill } from './packetdrill/run.ts';
export { echo, serve, type Transfer, transfer } from './programs.ts';
export { Random } from './random.ts';
export { SynFlood, type SynFloodOptions } from './syn-flood.ts';
export { VirtualClock } from './virtual-clock.ts';
