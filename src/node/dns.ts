/**
 * Puts the stack under Node's dns: names are asked for over the stack's own sockets.
 * @module
 */
import { syncBuiltinESMExports } from 'node:module';
import type { DnsSettings } from '../dns/settings.ts';
import { interceptResolvers } from './dns-channel.ts';
import { interceptLookups } from './dns-lookup.ts';
import { DnsSystem } from './dns-system.ts';
import type { Engine } from './engine.ts';

let installed: { system: DnsSystem } | null = null;

/** Patches Node's dns of this thread to use `engine`. Once: a second call changes engines. */
export function interceptDns(engine: Engine, settings: Partial<DnsSettings>): void {
  const system = new DnsSystem(engine, settings);
  if (installed !== null) {
    installed.system = system;
    return;
  }
  installed = { system };
  interceptResolvers(installed);
  interceptLookups(installed);
  // Who imported the functions by name gets these, whenever that was.
  syncBuiltinESMExports();
}
