/**
 * Reading the configuration again, asked by a signal or through the control socket: who takes what
 * of it over.
 * @module
 */
import { writeSync } from 'node:fs';
import type { Config, ConfigSource } from '../config/config.ts';
import { type Change, LiveConfig } from '../config/reload.ts';
import type { Device } from '../control/flows.ts';
import { replaceFlows } from '../runtime/flow-rules.ts';
import { changesText } from './reload.ts';

const STDERR = 2;

export interface Reloading {
  /** For the control socket. Rejects with ConfigError, and nothing changes. */
  reload(): Promise<Change[]>;
  /** For the signal: tells what changed, or what is wrong. */
  onSignal(): void;
}

/**
 * `apply` gives the stacks what holds now; the rules of the only device are changed here, where it
 * was opened.
 */
export function reloadingOf(
  source: ConfigSource,
  config: Config,
  devices: readonly Device[],
  apply: (config: Config, latest: ConfigSource) => Promise<unknown> | undefined,
): Reloading {
  const live = new LiveConfig(source, config);
  const reload = async (): Promise<Change[]> => {
    const { flows } = live.config;
    const changes = live.readAgain();
    for (const { port } of devices) replaceFlows(port, flows, live.config.flows);
    await apply(live.config, live.latest);
    return changes;
  };
  const tell = (text: string): void => void writeSync(STDERR, `dpdk-net: ${text}`);
  return {
    reload,
    onSignal: () => {
      reload().then(
        (changes) => tell(`${source.source} read again\n${changesText(changes)}`),
        ({ message }: Error) => tell(`nothing has changed: ${message}\n`),
      );
    },
  };
}
