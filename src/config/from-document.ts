/**
 * From the checked values of a document to the types that the stack uses, defaults filled in.
 * @module
 */
import { resolve } from 'node:path';
import { Address, Prefix } from '../base/address.ts';
import { formatRule, parseRule } from '../flow/text.ts';
import type {
  AdminConfig,
  Config,
  DnsConfig,
  ListenerConfig,
  LogConfig,
  NetworkConfig,
  OpenTelemetryConfig,
  PortConfig,
  QueuesConfig,
} from './config.ts';
import { schema } from './schema.ts';
import type { Schema } from './schema-parts.ts';
import { toTcpOptions } from './tcp-keys.ts';
import { newTable, type Table } from './toml.ts';
import { parseDuration, parseSize } from './units.ts';

const DNS_PORT = 53;

/** `root` has passed the schema; relative folders are seen from `folder`. */
export function toConfig(root: Table, folder: string): Config {
  const table = (name: string): Values =>
    new Values((root[name] as Table | undefined) ?? newTable(), schema.properties?.[name]);
  const dpdk = table('dpdk');
  const listed = rows(root, 'ports').map(toPort);
  const ports = listed.length > 0 ? listed : [onlyPort(table)];
  const first = ports[0]!;
  return {
    dpdk: {
      ...(listed.length > 0
        ? splitDevice(first.device)
        : { port: dpdk.text('port'), vdev: dpdk.text('vdev') }),
      ealArgs: dpdk.list('eal_args'),
      memory: dpdk.bytes('memory'),
    },
    network: first.network,
    queues: first.queues,
    tcp: toTcpOptions((root['tcp'] as Table | undefined) ?? {}),
    routes: { kernel: table('routes').prefixes('kernel') },
    dns: toDns(table('dns')),
    tap: { hostAddresses: first.hostAddresses },
    poll: { spin: table('poll').get('spin') === true },
    workers: {
      restart: table('workers').get('restart') === true,
      pin: table('workers').get('pin') === true,
    },
    shutdown: { drainMs: table('shutdown').milliseconds('drain') },
    admin: toAdmin(table('admin')),
    log: root['log'] === undefined ? null : toLog(table('log'), folder),
    openTelemetry: toOpenTelemetry(table('opentelemetry')),
    ports,
    flows: rows(root, 'flows').map((values) => {
      const rule = parseRule(values.text('rule'));
      return { rule, text: formatRule(rule), on: values.text('on') };
    }),
    listeners: rows(root, 'listeners').map((values) => toListener(values, folder)),
  };
}

/** [dpdk] has two keys for what is one in [[ports]]. */
export function splitDevice(device: string): { port: string; vdev: string } {
  const isVirtual = /^[a-z]+_/.test(device);
  return isVirtual ? { port: '', vdev: device } : { port: device, vdev: '' };
}

/** One table's values; what is left out has the schema's default. */
class Values {
  readonly #given: Table;
  readonly #schema: Schema | undefined;

  constructor(given: Table, tableSchema: Schema | undefined) {
    this.#given = given;
    this.#schema = tableSchema;
  }

  get(key: string): unknown {
    return this.#given[key] ?? this.#schema?.properties?.[key]?.default;
  }

  number(key: string): number {
    return (this.get(key) as number | undefined) ?? 0;
  }

  text(key: string): string {
    return (this.get(key) as string | undefined) ?? '';
  }

  list(key: string): string[] {
    return [(this.get(key) as string | string[] | undefined) ?? []].flat();
  }

  prefixes(key: string): Prefix[] {
    return this.list(key).map((prefix) => Prefix.parse(prefix));
  }

  milliseconds(key: string): number {
    return parseDuration(this.get(key)) ?? 0;
  }

  bytes(key: string): number {
    return parseSize(this.get(key)) ?? 0;
  }
}

function rows(root: Table, name: string): Values[] {
  const list = (root[name] as Table[] | undefined) ?? [];
  return list.map((row) => new Values(row, schema.properties?.[name]?.items));
}

/** The port of a configuration that has no [[ports]]. */
function onlyPort(table: (name: string) => Values): PortConfig {
  const dpdk = table('dpdk');
  const queues = table('queues');
  return {
    name: 'port0',
    device: dpdk.text('vdev') || dpdk.text('port'),
    network: toNetwork(table('network')),
    queues: toQueues(queues, queues.number('count')),
    hostAddresses: table('tap').prefixes('host_ip'),
  };
}

function toPort(values: Values, index: number): PortConfig {
  return {
    name: values.text('name') || `port${index}`,
    device: values.text('device'),
    network: toNetwork(values),
    queues: toQueues(values, values.number('queues')),
    hostAddresses: values.prefixes('host_ip'),
  };
}

/** Only what was given: resolv.conf says the rest. */
function toDns(values: Values): DnsConfig {
  const servers = values.list('servers').map((address) => ({ address, port: DNS_PORT }));
  const timeoutMs = parseDuration(values.get('timeout'));
  return {
    hostsFile: values.text('hosts'),
    ...(servers.length > 0 ? { servers } : {}),
    ...(values.get('search') === undefined ? {} : { search: values.list('search') }),
    ...(values.get('ndots') === undefined ? {} : { ndots: values.number('ndots') }),
    ...(timeoutMs === null ? {} : { timeoutMs }),
    ...(values.get('attempts') === undefined ? {} : { attempts: values.number('attempts') }),
  };
}

function toNetwork(values: Values): NetworkConfig {
  return {
    addresses: values.prefixes('ip'),
    gateways: values.list('gateway').map((gateway) => Address.parse(gateway)),
    mtu: values.number('mtu'),
    mtuMax: values.number('mtu_max'),
    vlan: values.number('vlan'),
    mac: parseMac(values.text('mac')),
    groups: values.list('join').map((group) => Address.parse(group)),
  };
}

function toQueues(values: Values, count: number): QueuesConfig {
  return {
    count,
    rxDesc: values.number('rx_desc'),
    txDesc: values.number('tx_desc'),
    gro: values.get('gro') === true,
  };
}

function toListener(values: Values, folder: string): ListenerConfig {
  const service = values.text('service') as ListenerConfig['service'];
  const port = values.number('port');
  const ip = values.text('ip');
  const root = values.text('root');
  return {
    name: values.text('name') || `${service}-${port}`,
    service,
    port,
    address: ip === '' ? null : Address.parse(ip),
    on: values.text('on'),
    root: root === '' ? '' : resolve(folder, root),
    backlog: values.number('backlog'),
  };
}

function toAdmin(values: Values): AdminConfig | null {
  const end = parseEnd(values.text('listen'));
  return end === null ? null : { ...end, token: values.text('token') };
}

function toLog(values: Values, folder: string): LogConfig {
  const file = values.text('file');
  return {
    level: values.text('level') as LogConfig['level'],
    format: values.text('format') as LogConfig['format'],
    file: file === '' ? '' : resolve(folder, file),
  };
}

function toOpenTelemetry(values: Values): OpenTelemetryConfig | null {
  const url = values.text('url');
  const intervalMs = parseDuration(values.get('interval')) ?? 0;
  return url === '' ? null : { url, intervalMs };
}

/** '127.0.0.1:9464' or '[::1]:9464'; null when it is neither. */
export function parseEnd(text: string): { address: Address; port: number } | null {
  const match = text.match(/^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/);
  if (match === null) return null;
  const address = Address.tryParse(match[1] ?? match[2]!);
  const port = Number(match[3]);
  return address === null || port > 65535 ? null : { address, port };
}

function parseMac(text: string): Uint8Array | null {
  return text === '' ? null : Uint8Array.from(text.split(':'), (pair) => Number.parseInt(pair, 16));
}
