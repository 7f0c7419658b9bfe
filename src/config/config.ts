/**
 * The configuration of a stack: read from dpdk-net.toml or .json, checked whole before anything
 * starts.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import type { Address, Prefix } from '../base/address.ts';
import type { FlowRule } from '../flow/rule.ts';
import type { TcpOptions } from '../tcp/options.ts';
import { splitDevice, toConfig } from './from-document.ts';
import { parseJsonDocument } from './json.ts';
import { applyOverride, overrideOfSetting, overridesOfEnvironment } from './overrides.ts';
import { ConfigError } from './problems.ts';
import { checkSense } from './sense.ts';
import { type Document, parseDocument } from './toml.ts';
import { findProblems } from './validate.ts';

/** Who a device of ours is on its network. */
export interface NetworkConfig {
  readonly addresses: readonly Prefix[];
  /** At most one for each family. */
  readonly gateways: readonly Address[];
  /** Bytes; 0: what the device has. */
  readonly mtu: number;
  /** 0: as mtu. */
  readonly mtuMax: number;
  /** 0: none. */
  readonly vlan: number;
  /** Six bytes; null: the device's own. */
  readonly mac: Uint8Array | null;
  /** Multicast groups to be in. */
  readonly groups: readonly Address[];
}

export interface QueuesConfig {
  readonly count: number;
  readonly rxDesc: number;
  readonly txDesc: number;
  /** Segments that arrive together are joined. */
  readonly gro: boolean;
}

/** A device with its addresses and queues. */
export interface PortConfig {
  readonly name: string;
  /** A PCI address, an interface, a virtual device in DPDK's words, 'auto' or 'loopback'. */
  readonly device: string;
  readonly network: NetworkConfig;
  readonly queues: QueuesConfig;
  /** Addresses for the kernel's end of a net_tap device. */
  readonly hostAddresses: readonly Prefix[];
}

export interface FlowConfig {
  readonly rule: FlowRule;
  /** The rule as formatRule() writes it. */
  readonly text: string;
  /** The name of the only port it is for; '' when it is for all. */
  readonly on: string;
}

export interface ListenerConfig {
  readonly name: string;
  readonly service: 'static' | 'echo' | 'app';
  readonly port: number;
  /** Null: all of our addresses. */
  readonly address: Address | null;
  /** The name of the only port it is on; '' when it is on all. */
  readonly on: string;
  /** The full path of a static service's folder, '' for others. */
  readonly root: string;
  readonly backlog: number;
}

/** The values of [dns] that were given. */
export interface DnsConfig {
  readonly servers?: readonly { readonly address: string; readonly port: number }[];
  readonly search?: readonly string[];
  readonly ndots?: number;
  readonly timeoutMs?: number;
  readonly attempts?: number;
  readonly hostsFile: string;
}

export interface AdminConfig {
  readonly address: Address;
  readonly port: number;
  /** '' for none. */
  readonly token: string;
}

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'off';
  readonly format: 'text' | 'json';
  /** '' for stderr. */
  readonly file: string;
}

export interface OpenTelemetryConfig {
  /** Of a collector that speaks OTLP over HTTP. */
  readonly url: string;
  readonly intervalMs: number;
}

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
  readonly network: NetworkConfig;
  readonly queues: QueuesConfig;
  readonly tcp: Readonly<TcpOptions>;
  /** Prefixes that the kernel's network keeps. */
  readonly routes: { readonly kernel: readonly Prefix[] };
  /** What the configuration says about names; resolv.conf says the rest. */
  readonly dns: DnsConfig;
  /** Addresses for the kernel's end of a net_tap device. */
  readonly tap: { readonly hostAddresses: readonly Prefix[] };
  readonly poll: { readonly spin: boolean };
  /** Of several queues: whether a worker that crashes is started again, and stays on one processor. */
  readonly workers: { readonly restart: boolean; readonly pin: boolean };
  /** How long connections may go on when the program is told to end; 0: they are ended. */
  readonly shutdown: { readonly drainMs: number };
  /** Null: no admin server. */
  readonly admin: AdminConfig | null;
  /** Null: nothing is logged. */
  readonly log: LogConfig | null;
  /** Null: nothing is sent. */
  readonly openTelemetry: OpenTelemetryConfig | null;
  /** All devices; `dpdk`, `network`, `queues` and `tap` are those of the first. */
  readonly ports: readonly PortConfig[];
  readonly flows: readonly FlowConfig[];
  readonly listeners: readonly ListenerConfig[];
}

/** What overrides a file. */
export interface Overriding {
  /** 'table.key=value' texts, from --set. They have the last word. */
  readonly settings?: readonly string[];
  /** Variables; those called DPDK_NET_<TABLE>__<KEY> count. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What a configuration is made of, to be posted to another thread that makes it as well. */
export interface ConfigSource extends Overriding {
  readonly text: string;
  /** What errors call the text; its ending says the language. */
  readonly source: string;
}

/**
 * Reads and checks a configuration file; one that ends in .json is JSON. `settings` are
 * 'table.key=value' texts that override it (from --set), and so do variables of the
 * environment (DPDK_NET_NETWORK__MTU=9000). Throws ConfigError that names everything that is
 * wrong, with its place.
 */
export function loadConfig(file: string, settings: readonly string[] = []): Config {
  return configFrom(readSource(file, settings));
}

/** The file with what overrides it. Throws ConfigError when there is none. */
export function readSource(file: string, settings: readonly string[] = []): ConfigSource {
  const environment = { ...process.env };
  return { text: readText(file), source: file, settings, environment };
}

/** What the configurations that were read here are made of. */
const sources = new WeakMap<Config, ConfigSource>();

/** Checks what readSource() has read. Throws ConfigError. */
export function configFrom(from: ConfigSource): Config {
  const { text, source, ...overriding } = from;
  const config = configOf(readDocument(text, source, overriding), dirname(source));
  sources.set(config, from);
  return config;
}

/** For another thread, that makes the same of it; null for a configuration made by hand. */
export function sourceOf(config: Config): ConfigSource | null {
  return sources.get(config) ?? null;
}

/** The same for a text; `source` is what errors call it. The environment does not count. */
export function parseConfig(
  text: string,
  source: string,
  settings: readonly string[] = [],
): Config {
  return configFrom({ text, source, settings });
}

/** The file with what overrides it, not checked yet. Throws ConfigError. */
export function loadDocument(file: string, overriding: Overriding): Document {
  return readDocument(readText(file), file, overriding);
}

function readText(file: string): string {
  if (!existsSync(file)) {
    throw new ConfigError([
      { place: null, message: `there is no ${file}; write one, or name another with --config` },
    ]);
  }
  return readFileSync(file, 'utf8');
}

/** The same for a text; `source` is what errors call it, and its ending says the language. */
export function readDocument(text: string, source: string, overriding: Overriding): Document {
  const parse = extname(source) === '.json' ? parseJsonDocument : parseDocument;
  const document = parse(text, source);
  for (const override of overridesOfEnvironment(overriding.environment ?? {})) {
    applyOverride(document, override);
  }
  for (const setting of overriding.settings ?? []) {
    applyOverride(document, overrideOfSetting(setting));
  }
  return document;
}

/** Checks a document. Relative folders in it are seen from `folder`. Throws ConfigError. */
export function configOf(document: Document, folder: string): Config {
  const problems = findProblems(document);
  if (problems.length > 0) throw new ConfigError(problems);
  const config = toConfig(document.root, folder);
  const nonsense = checkSense(config, document);
  if (nonsense.length > 0) throw new ConfigError(nonsense);
  return config;
}

/** The configuration of one of its ports alone. */
export function configOfPort(config: Config, { device, ...port }: PortConfig): Config {
  const { ealArgs, memory } = config.dpdk;
  return {
    ...config,
    dpdk: { ...splitDevice(device), ealArgs, memory },
    network: port.network,
    queues: port.queues,
    tap: { hostAddresses: port.hostAddresses },
    flows: config.flows.filter(({ on }) => on === '' || on === port.name),
    ports: [{ device, ...port }],
  };
}
