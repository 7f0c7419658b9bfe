/**
 * What can be set for TCP, per stack, with its defaults. Times are milliseconds.
 * @module
 */
import { StackError } from '../base/errors.ts';
import { algorithmNamed, type CongestionName } from './congestion/algorithms.ts';
import { ECN_MODES, type EcnMode } from './ecn-handshake.ts';

/** 'auto': when needed. */
export type SynCookieMode = 'auto' | 'always' | 'never';

export interface TcpOptions {
  /**
   * Most bytes a connection buffers for reading, and its window: what a fast path gets, once the
   * program reads as fast (memory.ts).
   */
  receiveBufferBytes: number;
  /** Most bytes a connection buffers for sending: what a large congestion window gets. */
  sendBufferBytes: number;
  /** Connections of all states together. */
  maxConnections: number;
  /** Half-open connections per listener; SYNs beyond get a SYN cookie, or are dropped. */
  maxHalfOpen: number;
  /** When a listener answers without remembering: when its half-open connections are at their bound. */
  synCookies: SynCookieMode;
  /** Fast Open of listeners that say nothing: connections in use before the handshake's end; 0: off. */
  fastOpen: number;
  /** The search for the path's MTU without ICMP: after a black hole, from the start, not at all. */
  mtuProbing: 'auto' | 'always' | 'never';
  /** RSTs a second to segments that belong to no connection, for each of 256 groups of peers; 0: none. */
  resetsPerSecond: number;
  /** Connections whose program let go before the peer had everything; beyond, they are reset. */
  maxOrphans: number;
  /** Unanswered retransmissions, or probes of a closed window, of such a connection. */
  orphanRetries: number;
  /** Connections in TIME-WAIT; beyond, the oldest ends early. */
  maxTimeWait: number;
  /** Ranges of out-of-order data per connection. */
  maxOutOfOrderRanges: number;
  /** Retransmission timeout before the first measurement, its floor and its ceiling (RFC 6298). */
  initialRtoMs: number;
  minRtoMs: number;
  maxRtoMs: number;
  /** Retransmissions of a SYN before giving up; of a SYN-ACK as many, but at most 5. */
  synRetries: number;
  /** Retransmissions of data, or unanswered zero-window probes, before giving up. */
  dataRetries: number;
  /** How long an ACK may wait for company; less than 500 (RFC 9293 3.8.6.3). */
  delayedAckMs: number;
  /** 2 MSL: how long TIME-WAIT lasts. */
  timeWaitMs: number;
  /** How long a closed socket waits for the peer's FIN. */
  finWait2Ms: number;
  /** Keepalive's defaults for sockets that switch it on. */
  keepAliveIdleMs: number;
  keepAliveIntervalMs: number;
  keepAliveProbes: number;
  /** Nagle's algorithm off for new connections. */
  noDelay: boolean;
  /** How the sending rate is found, where connect(), listen() or the socket say nothing else. */
  congestion: CongestionName;
  /** Spreads a window over its round trip; BBR does so always, 'none' never. */
  pacing: boolean;
  /**
   * ECN: 'off'; 'passive', where the peer asks; 'on', asked for too; 'accurate', with accurate
   * feedback where the peer has it (RFC 9768). Linux' tcp_ecn 0, 2, 1 and 3.
   */
  ecn: EcnMode;
  /** Timestamps and with them PAWS (RFC 7323). */
  timestamps: boolean;
  /** Selective acknowledgments (RFC 2018). */
  sack: boolean;
  /** TIME-WAIT outlasts a RST (RFC 1337); else the exact one ends it, as in Linux. */
  ignoreTimeWaitRst: boolean;
  /** Smallest MSS accepted from a peer (CVE-2019-11479). */
  minMss: number;
  /** Segments of the initial window (RFC 6928). */
  initialWindowSegments: number;
  /** The range that ephemeral ports are drawn from. */
  firstEphemeralPort: number;
  lastEphemeralPort: number;
}

export const DEFAULTS: TcpOptions = {
  receiveBufferBytes: 4 * 1024 * 1024,
  sendBufferBytes: 4 * 1024 * 1024,
  maxConnections: 1 << 20,
  maxHalfOpen: 1024,
  synCookies: 'auto',
  fastOpen: 0,
  mtuProbing: 'auto',
  resetsPerSecond: 200,
  maxOrphans: 65536,
  orphanRetries: 8,
  maxTimeWait: 32768,
  maxOutOfOrderRanges: 128,
  initialRtoMs: 1000,
  minRtoMs: 200,
  maxRtoMs: 120_000,
  synRetries: 7,
  dataRetries: 15,
  delayedAckMs: 40,
  timeWaitMs: 60_000,
  finWait2Ms: 60_000,
  keepAliveIdleMs: 7_200_000,
  keepAliveIntervalMs: 75_000,
  keepAliveProbes: 9,
  noDelay: false,
  congestion: 'cubic',
  pacing: false,
  ecn: 'passive',
  timestamps: true,
  sack: true,
  ignoreTimeWaitRst: false,
  minMss: 216,
  initialWindowSegments: 10,
  firstEphemeralPort: 32768,
  lastEphemeralPort: 60999,
};

/** What a stack is built upon: a running one can not change it. */
export const FIXED: readonly (keyof TcpOptions)[] = [
  'congestion',
  'fastOpen',
  'maxConnections',
  'maxOutOfOrderRanges',
  'receiveBufferBytes',
  'resetsPerSecond',
];

/**
 * Gives a running stack's options other values, those of FIXED excepted. Connections ask for them
 * when they begin, or need them next. Throws as complete() does.
 */
export function change(options: TcpOptions, given: Partial<TcpOptions>): void {
  const next = complete({ ...options, ...given });
  const changed = Object.entries(next).filter(
    ([name]) => !FIXED.includes(name as keyof TcpOptions),
  );
  Object.assign(options, Object.fromEntries(changed));
}

/** Bounds that keep int32 arithmetic and the protocol sound: [smallest, largest]. */
const BOUNDS: Partial<Record<keyof TcpOptions, readonly [number, number]>> = {
  receiveBufferBytes: [2048, 1 << 26],
  sendBufferBytes: [2048, 1 << 26],
  maxConnections: [1, 1 << 23],
  fastOpen: [0, 65535],
  resetsPerSecond: [0, 1_000_000],
  orphanRetries: [1, 255],
  maxTimeWait: [1, 1 << 23],
  maxOutOfOrderRanges: [1, 4096],
  minRtoMs: [1, 60_000],
  initialRtoMs: [1, 60_000],
  maxRtoMs: [1000, 600_000],
  delayedAckMs: [0, 499],
  timeWaitMs: [0, 600_000],
  minMss: [88, 1220],
  initialWindowSegments: [1, 64],
  firstEphemeralPort: [1024, 65535],
  lastEphemeralPort: [1024, 65535],
};

/** The defaults with `given` on top. Throws StackError EINVAL that names the option. */
export function complete(given: Partial<TcpOptions> = {}): TcpOptions {
  const options: TcpOptions = { ...DEFAULTS, ...given };
  for (const [name, value] of Object.entries(options)) {
    const [low, high] = BOUNDS[name as keyof TcpOptions] ?? [0, 0x7fffffff];
    if (name === 'synCookies' || name === 'mtuProbing') checkMode(name, value);
    if (typeof value !== 'number') continue;
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new StackError(
        'EINVAL',
        `tcp.${name} is ${value}; it must be an integer from ${low} to ${high}`,
      );
    }
  }
  algorithmNamed(options.congestion);
  checkEcn(options.ecn);
  if (options.firstEphemeralPort > options.lastEphemeralPort) {
    throw new StackError('EINVAL', 'tcp.firstEphemeralPort is above tcp.lastEphemeralPort');
  }
  return options;
}

function checkMode(name: string, value: unknown): void {
  if (value === 'auto' || value === 'always' || value === 'never') return;
  throw new StackError(
    'EINVAL',
    `tcp.${name} is '${value}'; it must be 'auto', 'always' or 'never'`,
  );
}

function checkEcn(mode: EcnMode): void {
  if (ECN_MODES.includes(mode)) return;
  const modes = ECN_MODES.map((known) => `'${known}'`).join(', ');
  throw new StackError('EINVAL', `tcp.ecn is '${mode}'; it must be one of ${modes}`);
}
