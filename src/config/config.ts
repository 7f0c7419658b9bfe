/**
 * The configuration of a stack: read from dpdk-net.toml, checked whole before anything starts.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { Address, Prefix } from '../base/address.ts';
import type { TcpOptions } from '../tcp/options.ts';
import { ConfigError } from './problems.ts';
import { schema } from './schema.ts';
import { checkSense } from './sense.ts';
import { toTcpOptions } from './tcp-keys.ts';
import { type Document, newTable, parseDocument, type Table } from './toml.ts';
import { parseSize } from './units.ts';
import { findProblems } from './validate.ts';

export interface Config {
  readonly dpdk: {
    /** A PCI address or the name of a port; 'loopback' for none. Empty when `vdev` is given. */
    readonly port: string;
    /** A virtual device in DPDK's words. Empty when `port` is given. */
    readonly vdev: string;
    readonly ealArgs: readonly string[];
    /** Bytes for packets and socket buffers. */
    readonly memory: number;
  };
  readonly network: {
    readonly addresses: readonly Prefix[];
    /** At most one for each family. */
    readonly gateways: readonly Address[];
    /** Bytes; 0: what the device has. */
    readonly mtu: number;
    /** 0: none. */
    readonly vlan: number;
    /** Six bytes; null: the device's own. */
    readonly mac: Uint8Array | null;
  };
  readonly queues: { readonly count: number; readonly rxDesc: number; readonly txDesc: number };
  readonly tcp: Readonly<TcpOptions>;
  /** Prefixes that the kernel's network keeps. */
  readonly routes: { readonly kernel: readonly Prefix[] };
  /** Addresses for the kernel's end of a net_tap device. */
  readonly tap: { readonly hostAddresses: readonly Prefix[] };
  readonly poll: { readonly spin: boolean };
}

/** What `loadConfig` looks for when no file is named. */
export const DEFAULT_FILE = 'dpdk-net.toml';

/**
 * Reads and checks a configuration file. `settings` are 'table.key=value' texts that override
 * it (from --set). Throws ConfigError that names everything that is wrong, with its place.
 */
export function loadConfig(file: string, settings: readonly string[] = []): Config {
  if (!existsSync(file)) {
    throw new ConfigError([
      { place: null, message: `there is no ${file}; write one, or name another with --config` },
    ]);
  }
  return parseConfig(readFileSync(file, 'utf8'), file, settings);
}

/** The same for a text; `source` is what errors call it. */
export function parseConfig(
  text: string,
  source: string,
  settings: readonly string[] = [],
): Config {
  const document = parseDocument(text, source);
  for (const setting of settings) applySetting(document, setting);
  const problems = findProblems(document);
  if (problems.length > 0) throw new ConfigError(problems);
  const config = toConfig(document.root);
  const nonsense = checkSense(config, document);
  if (nonsense.length > 0) throw new ConfigError(nonsense);
  return config;
}

/** Overrides one value: 'network.mtu=9000'. A value that is not TOML is taken as text. */
function applySetting(document: Document, setting: string): void {
  const source = `--set ${setting}`;
  const match = setting.match(/^([a-z0-9_]+)\.([a-z0-9_]+)=(.*)$/s);
  if (match === null) {
    const message = 'not of the form table.key=value, such as network.mtu=9000';
    throw new ConfigError([{ place: { source, line: 0, column: 0 }, message }]);
  }
  const [, table, key, value] = match as unknown as [string, string, string, string];
  const path = `/${table}/${key}`;
  let parsed: unknown = value;
  try {
    parsed = parseDocument(`value = ${value}`, source).root['value'];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  const isTable = typeof document.root[table] === 'object' && document.root[table] !== null;
  if (!isTable) document.root[table] = newTable();
  (document.root[table] as Table)[key] = parsed;
  const place = { source, line: 0, column: 0 };
  if (!document.keys.has(`/${table}`)) document.keys.set(`/${table}`, place);
  document.keys.set(path, place);
  document.values.set(path, place);
  for (const pointer of document.values.keys()) {
    if (pointer.startsWith(`${path}/`)) document.values.delete(pointer);
  }
}

/** The checked values with defaults filled in, in the types that the stack uses. */
function toConfig(root: Table): Config {
  const get = (table: string, key: string): unknown => {
    const given = (root[table] as Table | undefined)?.[key];
    return given ?? schema.properties?.[table]?.properties?.[key]?.default;
  };
  const number = (table: string, key: string): number =>
    (get(table, key) as number | undefined) ?? 0;
  const text = (table: string, key: string): string =>
    (get(table, key) as string | undefined) ?? '';
  const list = (table: string, key: string): string[] =>
    [(get(table, key) as string | string[]) ?? []].flat();
  const bytes = (table: string, key: string): number => parseSize(get(table, key)) ?? 0;
  return {
    dpdk: {
      port: text('dpdk', 'port'),
      vdev: text('dpdk', 'vdev'),
      ealArgs: list('dpdk', 'eal_args'),
      memory: bytes('dpdk', 'memory'),
    },
    network: {
      addresses: list('network', 'ip').map((ip) => Prefix.parse(ip)),
      gateways: list('network', 'gateway').map((gateway) => Address.parse(gateway)),
      mtu: number('network', 'mtu'),
      vlan: number('network', 'vlan'),
      mac: parseMac(text('network', 'mac')),
    },
    queues: {
      count: number('queues', 'count'),
      rxDesc: number('queues', 'rx_desc'),
      txDesc: number('queues', 'tx_desc'),
    },
    tcp: toTcpOptions((root['tcp'] as Table | undefined) ?? {}),
    routes: { kernel: list('routes', 'kernel').map((prefix) => Prefix.parse(prefix)) },
    tap: { hostAddresses: list('tap', 'host_ip').map((ip) => Prefix.parse(ip)) },
    poll: { spin: get('poll', 'spin') === true },
  };
}

function parseMac(text: string): Uint8Array | null {
  return text === '' ? null : Uint8Array.from(text.split(':'), (pair) => Number.parseInt(pair, 16));
}
