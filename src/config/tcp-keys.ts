/**
 * The keys of the [tcp] table: each is one of the stack's TcpOptions under a name of its own, with
 * the stack's default.
 * @module
 */
import { CONGESTION_NAMES } from '../tcp/congestion/algorithms.ts';
import { ECN_MODES } from '../tcp/ecn-handshake.ts';
import { DEFAULTS, FIXED, type TcpOptions } from '../tcp/options.ts';
import { choice, duration, flag, integer, type Schema, size, table } from './schema-parts.ts';
import { parseDuration, parseSize } from './units.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const MINUTE = 60_000;

interface Key {
  readonly name: string;
  readonly option: keyof TcpOptions;
  readonly schema: Schema;
}

/** The options of one type. */
type OptionOf<T> = {
  [Name in keyof TcpOptions]: TcpOptions[Name] extends T ? Name : never;
}[keyof TcpOptions];
type NumberOption = OptionOf<number>;

/** Keys whose values are bytes. */
function bytes(name: string, option: NumberOption, least: number, most: number, text: string): Key {
  return { name, option, schema: size(text, least, most, DEFAULTS[option]) };
}

/** Keys whose values are durations. */
function time(name: string, option: NumberOption, least: number, most: number, text: string): Key {
  return { name, option, schema: duration(text, least, most, DEFAULTS[option]) };
}

function count(name: string, option: NumberOption, least: number, most: number, text: string): Key {
  return { name, option, schema: integer(text, least, most, DEFAULTS[option]) };
}

function onOff(name: string, option: OptionOf<boolean>, text: string): Key {
  return { name, option, schema: flag(text, DEFAULTS[option]) };
}

const KEYS: readonly Key[] = [
  bytes(
    'rx_buffer_size',
    'receiveBufferBytes',
    4 * KIB,
    16 * MIB,
    'Most that a connection may hold for reading: the window of a fast path.',
  ),
  bytes(
    'tx_buffer_size',
    'sendBufferBytes',
    4 * KIB,
    16 * MIB,
    'Most that a connection may hold for sending.',
  ),
  count('max_connections', 'maxConnections', 1, 1 << 23, 'Connections of all states together.'),
  count('max_half_open', 'maxHalfOpen', 1, 1 << 20, 'Half-open connections of one listener.'),
  {
    name: 'syn_cookies',
    option: 'synCookies',
    schema: choice(
      'Answering SYNs without remembering them: beyond `max_half_open`, always, or never.',
      ['auto', 'always', 'never'] satisfies TcpOptions['synCookies'][],
      DEFAULTS.synCookies,
    ),
  },
  count(
    'fast_open',
    'fastOpen',
    0,
    65535,
    'TCP Fast Open of listeners: connections in use before their handshake is over; 0: off.',
  ),
  {
    name: 'mtu_probing',
    option: 'mtuProbing',
    schema: choice(
      'Finding the path MTU without ICMP (RFC 4821): once large segments seem to be lost, always, or never.',
      ['auto', 'always', 'never'] satisfies TcpOptions['mtuProbing'][],
      DEFAULTS.mtuProbing,
    ),
  },
  count(
    'resets_per_second',
    'resetsPerSecond',
    0,
    1_000_000,
    'RSTs a second to segments of no connection, for each of 256 groups of peers.',
  ),
  count(
    'max_orphans',
    'maxOrphans',
    0,
    1 << 23,
    'Closed sockets whose peer has not got everything yet; beyond, they are reset.',
  ),
  count(
    'orphan_retries',
    'orphanRetries',
    1,
    255,
    'Unanswered tries of such a connection before giving up.',
  ),
  count(
    'max_time_wait',
    'maxTimeWait',
    1,
    1 << 20,
    'Connections in TIME-WAIT; beyond, the oldest ends early.',
  ),
  count(
    'max_out_of_order',
    'maxOutOfOrderRanges',
    1,
    4096,
    'Ranges of out-of-order data of one connection.',
  ),
  time(
    'initial_rto',
    'initialRtoMs',
    1,
    MINUTE,
    'Retransmission timeout before the first measurement (RFC 6298).',
  ),
  time('min_rto', 'minRtoMs', 1, MINUTE, 'Least retransmission timeout.'),
  time('max_rto', 'maxRtoMs', 1000, 10 * MINUTE, 'Largest retransmission timeout.'),
  count(
    'syn_retries',
    'synRetries',
    0,
    255,
    'Retransmissions of a SYN before giving up; of a SYN-ACK as many, but at most 5.',
  ),
  count(
    'data_retries',
    'dataRetries',
    0,
    255,
    'Retransmissions of data, or unanswered zero-window probes, before giving up.',
  ),
  time('delayed_ack', 'delayedAckMs', 0, 499, 'How long an ACK may wait for company.'),
  time('time_wait', 'timeWaitMs', 0, 10 * MINUTE, 'How long TIME-WAIT lasts (2 MSL).'),
  time(
    'fin_wait_2',
    'finWait2Ms',
    0,
    60 * MINUTE,
    "How long a closed socket waits for the peer's FIN.",
  ),
  time(
    'keepalive_idle',
    'keepAliveIdleMs',
    1000,
    24 * 60 * MINUTE,
    'Silence before the first keepalive probe, where switched on.',
  ),
  time('keepalive_interval', 'keepAliveIntervalMs', 1000, 60 * MINUTE, 'Between keepalive probes.'),
  count(
    'keepalive_probes',
    'keepAliveProbes',
    1,
    255,
    'Unanswered keepalive probes before giving up.',
  ),
  onOff('no_delay', 'noDelay', "Nagle's algorithm off for new connections."),
  {
    name: 'congestion',
    option: 'congestion',
    schema: choice(
      'How the sending rate is found: RFC 9438, RFC 5681, BBRv3, or not at all, for trusted wires.',
      CONGESTION_NAMES,
      DEFAULTS.congestion,
    ),
  },
  onOff('pacing', 'pacing', 'Spreads a window over its round trip; BBR does so always.'),
  {
    name: 'ecn',
    option: 'ecn',
    schema: choice(
      'Marks instead of losses (RFC 3168): not at all, when the peer asks, asked for, or with accurate feedback (RFC 9768).',
      ECN_MODES,
      DEFAULTS.ecn,
    ),
  },
  onOff('timestamps', 'timestamps', 'Timestamps, and with them PAWS (RFC 7323).'),
  onOff(
    'ignore_time_wait_rst',
    'ignoreTimeWaitRst',
    'TIME-WAIT outlasts a RST (RFC 1337); otherwise the exact one ends it, as in Linux.',
  ),
  onOff('sack', 'sack', 'Selective acknowledgments (RFC 2018).'),
  count('min_mss', 'minMss', 88, 1220, 'Smallest maximum segment size accepted from a peer.'),
  count(
    'initial_window',
    'initialWindowSegments',
    1,
    64,
    'Segments of the initial congestion window (RFC 6928).',
  ),
  count(
    'first_ephemeral_port',
    'firstEphemeralPort',
    1024,
    65535,
    'Ports of outgoing connections: the lowest.',
  ),
  count(
    'last_ephemeral_port',
    'lastEphemeralPort',
    1024,
    65535,
    'Ports of outgoing connections: the highest.',
  ),
];

export const tcpSchema: Schema = table(
  'TCP.',
  Object.fromEntries(KEYS.map(({ name, schema }) => [name, schema])),
);

/** The options that have a key. */
export const settableOptions: readonly (keyof TcpOptions)[] = KEYS.map(({ option }) => option);

/** Keys that a running stack can not take over. */
export const fixedTcpKeys: readonly string[] = KEYS.filter(({ option }) =>
  FIXED.includes(option),
).map(({ name }) => name);

/** The stack's options out of the checked values of the [tcp] table. */
export function toTcpOptions(given: Readonly<Record<string, unknown>>): TcpOptions {
  const options: Record<string, unknown> = { ...DEFAULTS };
  for (const { name, option, schema } of KEYS) {
    const value = given[name];
    if (value === undefined) continue;
    if (schema.kind === 'size') options[option] = parseSize(value);
    else if (schema.kind === 'duration') options[option] = parseDuration(value);
    else options[option] = value;
  }
  return options as unknown as TcpOptions;
}
