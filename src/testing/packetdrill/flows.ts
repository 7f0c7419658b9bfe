/**
 * Connections as scripts name them and as they are: a script counts from 0, knows neither the
 * stack's initial sequence number nor its ports, and writes timestamps of its own.
 * @module
 */
import type { LivePacket } from './machine.ts';
import type { OptionSpec, TcpSpec } from './syntax.ts';
import { ACK, SYN } from './tcp-flags.ts';

export class Flow {
  /** Ports as they are, and as the script writes them (0: it does not). */
  readonly localPort: number;
  readonly remotePort: number;
  readonly scriptLocal: number;
  readonly scriptRemote: number;
  /** What is added to the script's numbers to get those on the wire. */
  localOffset = 0;
  remoteOffset: number;
  /** The script's number of each side's SYN; what follows it is the first byte. */
  localIsn = 0;
  remoteIsn = 0;
  /** 1 once our SYN was seen and localOffset is right. */
  synced = false;
  /** The peer's SYN that may open the next connection between these ports; -1: none. */
  reopens = -1;
  readonly #timestamps: Map<number, number> = new Map();
  #firstScript = 0;
  #firstLive = 0;

  constructor(local: number, remote: number, remoteOffset: number, script?: [number, number]) {
    this.localPort = local;
    this.remotePort = remote;
    this.scriptLocal = script?.[0] ?? 0;
    this.scriptRemote = script?.[1] ?? 0;
    this.remoteOffset = remoteOffset;
  }

  /** The peer's SYN begins a connection. */
  reset(remoteIsn: number): void {
    this.remoteIsn = remoteIsn;
    this.synced = false;
    this.reopens = -1;
  }

  /** The stack's SYN that the script describes as `seq`. */
  sync(live: LivePacket, seq: number): void {
    if (this.synced && this.reopens < 0) return;
    if (this.reopens >= 0) this.reset(this.reopens);
    this.localOffset = (live.seq - seq) | 0;
    this.localIsn = seq;
    this.synced = true;
  }

  /** The script's TSval `script` was `live` on the wire. */
  noteTimestamp(script: number, live: number): void {
    if (this.#timestamps.size === 0) {
      this.#firstScript = script;
      this.#firstLive = live;
    }
    this.#timestamps.set(script, live);
  }

  /** The wire's value for a TSecr of the script: of the TSval it saw, or counted from the first. */
  liveEcho(script: number): number {
    const known = this.#timestamps.get(script);
    if (known !== undefined || this.#timestamps.size === 0) return known ?? script;
    return (this.#firstLive + script - this.#firstScript) >>> 0;
  }

  /** A TSval of the stack in the script's counting, NaN before the first. */
  scriptTimestamp(live: number): number {
    if (this.#timestamps.size === 0) return Number.NaN;
    return (this.#firstScript + ((live - this.#firstLive) | 0)) >>> 0;
  }

  /** Options of a segment that the script sends. */
  outgoing(options: readonly OptionSpec[]): OptionSpec[] {
    return options.map((option) => {
      const { name, numbers } = option;
      if (name === 'sack')
        return { ...option, numbers: numbers.map((n) => (n + this.localOffset) >>> 0) };
      if (name === 'TS') return { ...option, numbers: [numbers[0]!, this.liveEcho(numbers[1]!)] };
      return option;
    });
  }

  /** A segment of the stack in the script's numbers; its payload stays with the live packet. */
  inScript(live: LivePacket): TcpSpec {
    const options = live.options.map((option) => {
      const { name, numbers } = option;
      if (name === 'sack')
        return { ...option, numbers: numbers.map((n) => (n - this.remoteOffset) >>> 0) };
      if (name !== 'TS') return option;
      const value = this.scriptTimestamp(numbers[0]!);
      return { ...option, numbers: [Number.isNaN(value) ? numbers[0]! : value, numbers[1]!] };
    });
    const isFirst = !this.synced && (live.flags & SYN) !== 0;
    return {
      kind: 'tcp',
      ip: { ecn: ecnName(live.trafficClass), trafficClass: live.trafficClass, hops: live.hops },
      ports:
        this.scriptRemote === 0
          ? [live.srcPort, live.dstPort]
          : [this.scriptLocal, this.scriptRemote],
      flags: live.flags,
      seq: isFirst ? 0 : (live.seq - this.localOffset) >>> 0,
      length: live.payload.length,
      ack: live.flags & ACK ? (live.ack - this.remoteOffset) >>> 0 : null,
      window: live.window,
      urgent: live.urgent,
      options,
    };
  }
}

const ECN_NAMES = ['noecn', 'ect1', 'ect0', 'ce'];

export function ecnName(trafficClass: number): string {
  return ECN_NAMES[trafficClass & 3]!;
}

/** The bits a packet in gets for its ECN word; none for what it does not say. */
export function ecnBits(name: string | null): number {
  return name === null ? 0 : Math.max(0, ECN_NAMES.indexOf(name));
}

/** The byte of a stream at `offset`: scripts do not write payload down, so each byte is known. */
export function patternByte(offset: number): number {
  return (offset * 167 + (offset >>> 8) * 13) & 0xff;
}
