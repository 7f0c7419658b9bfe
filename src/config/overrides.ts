/**
 * What overrides the file: variables of the environment, then options of the command line.
 *
 *     DPDK_NET_TCP__RX_BUFFER_SIZE=128KiB     --set tcp.rx_buffer_size=128KiB
 *     DPDK_NET_LISTENERS__0__PORT=8080        --set listeners.0.port=8080
 * @module
 */
import { ConfigError } from './problems.ts';
import { below, type Document, newTable, parseDocument, type Table } from './toml.ts';

/** One overriding value. */
export interface Override {
  readonly path: readonly string[];
  /** TOML, or text as it is. */
  readonly text: string;
  /** What errors call it. */
  readonly source: string;
}

/** Those of the variables that name a key: DPDK_NET_<TABLE>__<KEY>. */
export function overridesOfEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Override[] {
  const overrides: Override[] = [];
  for (const name of Object.keys(environment).sort()) {
    if (!/^DPDK_NET_.+__/.test(name)) continue;
    const path = name.slice('DPDK_NET_'.length).toLowerCase().split('__');
    const text = environment[name] ?? '';
    overrides.push({ path, text, source: `environment ${name}=${text}` });
  }
  return overrides;
}

/** 'network.mtu=9000'. Throws ConfigError when it is not of that form. */
export function overrideOfSetting(setting: string): Override {
  const source = `--set ${setting}`;
  const match = setting.match(/^([a-z0-9_]+(?:\.[a-z0-9_]+)+)=(.*)$/s);
  if (match === null) {
    const message = 'not of the form table.key=value, such as network.mtu=9000';
    throw new ConfigError([{ place: { source, line: 0, column: 0 }, message }]);
  }
  return { path: match[1]!.split('.'), text: match[2]!, source };
}

/** Puts the value where it belongs, over what is there. */
export function applyOverride(document: Document, { path, text, source }: Override): void {
  const place = { source, line: 0, column: 0 };
  let holder: Table = document.root;
  let pointer = '';
  for (const [index, name] of path.slice(0, -1).entries()) {
    pointer = below(pointer, name);
    const next = path[index + 1]!;
    if (typeof holder[name] !== 'object' || holder[name] === null) {
      holder[name] = /^\d+$/.test(next) ? [] : newTable();
    }
    if (!document.keys.has(pointer)) document.keys.set(pointer, place);
    const list = holder[name];
    // A number beyond the end would leave a gap, which is no configuration.
    if (Array.isArray(list) && !(Number(next) <= list.length)) {
      const message = `there is no entry ${next}: '${name}' has ${list.length}, counted from 0`;
      throw new ConfigError([{ place, message }]);
    }
    holder = list as Table;
  }
  const key = path.at(-1)!;
  pointer = below(pointer, key);
  holder[key] = parsedOrText(text, source);
  document.keys.set(pointer, place);
  document.values.set(pointer, place);
  for (const other of document.values.keys()) {
    if (other.startsWith(`${pointer}/`)) document.values.delete(other);
  }
}

/** A value that is not TOML is taken as text. */
function parsedOrText(text: string, source: string): unknown {
  try {
    return parseDocument(`value = ${text}`, source).root['value'];
  } catch (error) {
    if (error instanceof ConfigError) return text;
    throw error;
  }
}
