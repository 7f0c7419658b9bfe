/**
 * A packetdrill script as data: what parse.ts makes of the text and run.ts acts on.
 * @module
 */

/** Microseconds. `from` and `to` differ for a range; `until` is when a blocking call returns. */
export interface When {
  /** 'relative': counted from the event before; 'any': whenever it comes. */
  readonly base: 'absolute' | 'relative' | 'any';
  readonly from: number;
  readonly to: number;
  /** -1: the call does not block. */
  readonly until: number;
}

/** mss 1000, TS val 1 ecr 2, sack 1:2 3:4, FO 0a0b: a name, its numbers, its bytes in hex. */
export interface OptionSpec {
  readonly name: string;
  readonly numbers: readonly number[];
  readonly text: string;
}

/** What a script says about the IP header; null: nothing. */
export interface IpSpec {
  /** ECN bits as packetdrill names them: noecn, ect0, ect1, ect01, ce. */
  readonly ecn: string | null;
  readonly trafficClass: number | null;
  readonly hops: number | null;
}

export interface TcpSpec {
  readonly kind: 'tcp';
  readonly ip: IpSpec;
  /** As written before the flags: `40000 > 80`. */
  readonly ports: readonly [number, number] | null;
  readonly flags: number;
  readonly seq: number;
  readonly length: number;
  readonly ack: number | null;
  readonly window: number | null;
  readonly urgent: number | null;
  /** Null: any, written `<...>`. */
  readonly options: readonly OptionSpec[] | null;
}

export interface UdpSpec {
  readonly kind: 'udp';
  readonly ip: IpSpec;
  readonly ports: readonly [number, number] | null;
  readonly length: number;
}

export interface IcmpSpec {
  readonly kind: 'icmp';
  readonly ip: IpSpec;
  readonly version: 4 | 6;
  readonly type: number;
  readonly code: number;
  readonly mtu: number;
  /** The segment or datagram that the error quotes. */
  readonly quoted: {
    readonly protocol: 'tcp' | 'udp';
    readonly seq: number;
    readonly length: number;
  };
}

export type PacketSpec = TcpSpec | UdpSpec | IcmpSpec;

/** An argument of a call. */
export type Value =
  | { readonly kind: 'any' }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | { readonly kind: 'record'; readonly fields: readonly Field[] };

/** `name = value` or `name(size) = value` in braces; name '' for a value alone. */
export interface Field {
  readonly name: string;
  readonly value: Value;
}

export interface CallSpec {
  readonly name: string;
  readonly args: readonly Value[];
  /** What it returns: a number, or -1 with `errno`. Null: anything. */
  readonly result: number | null;
  readonly errno: string;
}

export type Action =
  | { readonly kind: 'in'; readonly packet: PacketSpec }
  | { readonly kind: 'out'; readonly packet: PacketSpec }
  | { readonly kind: 'call'; readonly call: CallSpec }
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string };

export interface ScriptEvent {
  readonly line: number;
  readonly when: When;
  readonly action: Action;
}

export interface Script {
  /** `--name=value` lines at the top. */
  readonly flags: readonly {
    readonly name: string;
    readonly value: string;
    readonly line: number;
  }[];
  /** Commands in backticks before the first event. */
  readonly setup: readonly { readonly text: string; readonly line: number }[];
  readonly events: readonly ScriptEvent[];
}

/** A script that cannot be read, or that did not go as it says. */
export class ScriptError extends Error {
  override readonly name: string = 'ScriptError';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Something of the language or of Linux that this runner does not have. */
export class Unsupported extends ScriptError {
  override readonly name: string = 'Unsupported';
}
