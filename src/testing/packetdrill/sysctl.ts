/**
 * Linux's settings as this stack has them, and the command lines that scripts set them with.
 * @module
 */
import type { TcpOptions } from '../../tcp/options.ts';

export interface Settings {
  readonly tcp: Partial<TcpOptions>;
  /** What was asked for and is not done, as sentences. */
  readonly notes: readonly string[];
}

/** A `convert` that gives undefined does not know the value. */
type Mapping = readonly [option: keyof TcpOptions, convert: (value: string) => unknown];

const flag = (value: string): boolean => value !== '0';
const whole = (value: string): number => Number(value);
const seconds = (value: string): number => 1000 * Number(value);
/** The last of "least default most". */
const most = (value: string): number => Number(value.trim().split(/\s+/).at(-1));
const named =
  (values: Readonly<Record<string, unknown>>) =>
  (value: string): unknown =>
    values[value];

const CONGESTION: Readonly<Record<string, string>> = {
  reno: 'newreno',
  cubic: 'cubic',
  bbr: 'bbr',
};
const MTU_PROBING: Readonly<Record<string, TcpOptions['mtuProbing']>> = {
  0: 'never',
  1: 'auto',
  2: 'always',
};
const SYN_COOKIES: Readonly<Record<string, TcpOptions['synCookies']>> = {
  0: 'never',
  1: 'auto',
  2: 'always',
};
/** 2 answers the offers of others only; 4 and 5 ask for less than they answer, which we have not. */
const ECN: Readonly<Record<string, TcpOptions['ecn']>> = {
  0: 'off',
  1: 'on',
  2: 'passive',
  3: 'accurate',
};

/** By the name below net.ipv4. */
const SYSCTLS: Readonly<Record<string, Mapping>> = {
  tcp_timestamps: ['timestamps', flag],
  tcp_sack: ['sack', flag],
  tcp_ecn: ['ecn', named(ECN)],
  tcp_congestion_control: ['congestion', named(CONGESTION)],
  tcp_syn_retries: ['synRetries', whole],
  tcp_synack_retries: ['synRetries', whole],
  tcp_retries2: ['dataRetries', whole],
  tcp_fin_timeout: ['finWait2Ms', seconds],
  tcp_keepalive_time: ['keepAliveIdleMs', seconds],
  tcp_keepalive_intvl: ['keepAliveIntervalMs', seconds],
  tcp_keepalive_probes: ['keepAliveProbes', whole],
  tcp_rmem: ['receiveBufferBytes', most],
  tcp_wmem: ['sendBufferBytes', most],
  tcp_max_syn_backlog: ['maxHalfOpen', whole],
  tcp_max_tw_buckets: ['maxTimeWait', whole],
  tcp_min_snd_mss: ['minMss', whole],
  tcp_rto_min_us: ['minRtoMs', (value) => Number(value) / 1000],
  tcp_rto_max_ms: ['maxRtoMs', whole],
  tcp_syncookies: ['synCookies', named(SYN_COOKIES)],
  tcp_mtu_probing: ['mtuProbing', named(MTU_PROBING)],
};

/** Where the stack does always what the setting asks for when it has this value. */
const ALWAYS: Readonly<Record<string, string>> = {
  tcp_window_scaling: '1',
  tcp_dsack: '1',
  tcp_recovery: '1',
  tcp_early_retrans: '3',
  tcp_frto: '2',
  tcp_no_metrics_save: '1',
  tcp_slow_start_after_idle: '1',
  tcp_moderate_rcvbuf: '1',
  tcp_abort_on_overflow: '0',
  tcp_tw_reuse: '0',
  tcp_reordering: '3',
  tcp_rfc1337: '0',
  // The client's side, which a call asks for; servers take no data from a SYN.
  tcp_fastopen: '1',
};

/** Every `name=value` of settings that a command line sets; [] when it is about something else. */
export function settingsOf(command: string): [name: string, value: string][] {
  const found: [string, string][] = [];
  const assignments =
    /(?:\/proc\/sys\/)?net[./]ipv4[./](\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;&]+))/g;
  for (const [, name, double, single, bare] of command.matchAll(assignments)) {
    found.push([name!, double ?? single ?? bare!]);
  }
  const written =
    /echo\s+(?:-n\s+)?(?:"([^"]*)"|'([^']*)'|(\S+))\s*>\s*\/proc\/sys\/net\/ipv4\/(\w+)/g;
  for (const [, double, single, bare, name] of command.matchAll(written)) {
    found.push([name!, double ?? single ?? bare!]);
  }
  return found;
}

/** TcpOptions for the settings of several commands; what cannot be done is noted. */
export function translate(commands: readonly string[]): Settings {
  const tcp: Record<string, unknown> = {};
  const notes: string[] = [];
  for (const command of commands.flatMap(single)) {
    const settings = settingsOf(command);
    if (settings.length === 0 && !isNothing(command)) notes.push(`not run: \`${command.trim()}\``);
    for (const [name, value] of settings) {
      const mapping = SYSCTLS[name];
      const converted = mapping?.[1](value);
      if (mapping !== undefined && converted !== undefined) tcp[mapping[0]] = converted;
      else if (ALWAYS[name] !== value) notes.push(`not set: net.ipv4.${name}=${value}`);
    }
  }
  return { tcp: tcp as Partial<TcpOptions>, notes };
}

/** The commands of a line, or of several. */
function single(commands: string): string[] {
  return commands.replace(/\\\n/g, ' ').split(/\n|;|&&/);
}

function isNothing(command: string): boolean {
  return /^\s*(true|:|sleep [\d.]+|#.*)?\s*$/.test(command);
}
