/**
 * What a script asks for before its first event: `--name=value` lines and commands in backticks.
 * @module
 */
import type { Script } from './syntax.ts';
import { type Settings as Translated, translate } from './sysctl.ts';

export interface Settings {
  readonly version: 4 | 6;
  readonly mtu: number;
  /** With the length of the prefix. */
  readonly local: string;
  readonly remote: string;
  readonly gateway: string;
  readonly bindPort: number;
  readonly connectPort: number;
  /** How far a packet or a return may be from its time, microseconds. */
  readonly tolerance: number;
  /** Microseconds of a unit of TSval in the script; 0: timestamps are not compared. */
  readonly timestampTick: number;
  readonly tcp: Translated['tcp'];
  readonly notes: readonly string[];
}

const NUMBERS = ['mtu', 'tolerance_usecs', 'tcp_ts_tick_usecs', 'bind_port', 'connect_port'];
const TEXTS = ['local_ip', 'remote_ip', 'gateway_ip', 'ip_version'];
/** About packetdrill's own workings: nothing here depends on them. */
const IRRELEVANT =
  /^(verbose|debug|dry_run|speed|netmask_ip|netdev|wire_\w+|send_omit_free|init_scripts)$/;

/** Where our default is not Linux's. */
const LINUX = 'net.ipv4.tcp_mtu_probing=0';

/** packetdrill's defaults: addresses of RFC 5737 and 4193. */
const ADDRESSES = {
  4: { local: '192.168.0.1', bits: 16, remote: '192.0.2.1', gateway: '192.168.0.2' },
  6: {
    local: 'fd3d:a0b:17d6::1',
    bits: 48,
    remote: 'fd3d:fa7b:d17d::1',
    gateway: 'fd3d:a0b:17d6:8888::2',
  },
};

/** `sysctls`: assignments like 'net.ipv4.tcp_sack=0' that hold before the script's own. */
export function settingsFor(script: Script, sysctls: readonly string[] = []): Settings {
  const given = new Map<string, string>();
  const notes: string[] = [];
  for (const { name, value } of script.flags) {
    if (NUMBERS.includes(name) || TEXTS.includes(name)) given.set(name, value);
    else if (!IRRELEVANT.test(name)) notes.push(`not known: --${name}`);
  }
  const version = given.get('ip_version') === 'ipv6' ? 6 : 4;
  const { local, bits, remote, gateway } = ADDRESSES[version];
  const number = (name: string, otherwise: number): number => Number(given.get(name) ?? otherwise);
  const { tcp, notes: more } = translate([
    LINUX,
    ...sysctls,
    ...script.setup.map(({ text }) => text),
  ]);
  return {
    version,
    mtu: number('mtu', 1500),
    local: `${given.get('local_ip') ?? local}/${bits}`,
    remote: given.get('remote_ip') ?? remote,
    gateway: given.get('gateway_ip') ?? gateway,
    bindPort: number('bind_port', 8080),
    connectPort: number('connect_port', 8080),
    tolerance: number('tolerance_usecs', 4000),
    timestampTick: number('tcp_ts_tick_usecs', 0),
    tcp,
    notes: [...notes, ...more],
  };
}
