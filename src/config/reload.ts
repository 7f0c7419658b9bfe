/**
 * A configuration that is read again while it is in use: what a running program can take over, and
 * what has to wait for its next start.
 * @module
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Config, type ConfigSource, configFrom, configOf, readDocument } from './config.ts';
import { explain } from './explain.ts';
import { schema } from './schema.ts';
import { fixedTcpKeys } from './tcp-keys.ts';

/** A value that is another than before. */
export interface Change {
  /** 'tcp.no_delay'; of a list of tables only its name, 'flows'. */
  readonly key: string;
  /** As they were written, or the default. */
  readonly from: unknown;
  readonly to: unknown;
  /** 'now': it holds already; 'restart': it will when the program is started again. */
  readonly when: 'now' | 'restart';
}

/** Keys, or whole tables, that a running program can take over. */
const LIVE = ['flows', 'network.join', 'routes.kernel', 'shutdown', 'tcp', 'workers.restart'];

export class LiveConfig {
  /** What holds now. */
  config: Config;
  /** Where `config` comes from, for another thread: what it was started with, and read last. */
  readonly started: ConfigSource;
  latest: ConfigSource;
  readonly #file: string;

  /** `config` is what configFrom() makes of it. Throws ConfigError. */
  constructor(started: ConfigSource, config: Config = configFrom(started)) {
    this.started = started;
    this.latest = started;
    this.config = config;
    // The program may go to another folder.
    this.#file = resolve(started.source);
  }

  /** Reads the file again. Throws ConfigError, or an Error when it can not be read: nothing changes. */
  readAgain(): Change[] {
    return this.take({ ...this.started, text: readFileSync(this.#file, 'utf8') });
  }

  /** Takes over what can be of another source, and tells what is different. Throws ConfigError. */
  take(source: ConfigSource): Change[] {
    const { text, source: name, ...overriding } = source;
    const next = configOf(readDocument(text, name, overriding), dirname(this.#file));
    const now = differences(this.latest, source).filter(({ key }) => isLive(key));
    const later = differences(this.started, source).filter(({ key }) => !isLive(key));
    const { flows, routes, shutdown, tcp, workers, network } = next;
    const [first, ...others] = this.config.ports;
    const groups = { groups: network.groups };
    this.config = {
      ...this.config,
      flows,
      routes,
      shutdown,
      tcp,
      workers: { ...this.config.workers, restart: workers.restart },
      network: { ...this.config.network, ...groups },
      ports: [{ ...first!, network: { ...first!.network, ...groups } }, ...others],
    };
    this.latest = source;
    return [
      ...now.map((change) => ({ ...change, when: 'now' as const })),
      ...later.map((change) => ({ ...change, when: 'restart' as const })),
    ];
  }
}

function isLive(key: string): boolean {
  if (fixedTcpKeys.some((name) => key === `tcp.${name}`)) return false;
  return LIVE.some((name) => key === name || key.startsWith(`${name}.`));
}

type Values = Map<string, unknown>;

function differences(before: ConfigSource, after: ConfigSource): Omit<Change, 'when'>[] {
  const [old, young] = [valuesOf(before), valuesOf(after)];
  return [...new Set([...old.keys(), ...young.keys()])]
    .filter((key) => JSON.stringify(old.get(key)) !== JSON.stringify(young.get(key)))
    .map((key) => ({ key, from: old.get(key), to: young.get(key) }));
}

/** Every value by its key; a list of tables is one value. */
function valuesOf({ text, source, ...overriding }: ConfigSource): Values {
  const document = readDocument(text, source, overriding);
  const values: Values = new Map();
  for (const { title, values: rows } of explain(document)) {
    if (title.startsWith('[[')) continue;
    const name = title.slice(1, -1);
    for (const { key, value } of rows) values.set(`${name}.${key}`, value);
  }
  for (const [name, { items }] of Object.entries(schema.properties ?? {})) {
    if (items !== undefined) values.set(name, document.root[name] ?? []);
  }
  return values;
}
