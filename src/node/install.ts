/**
 * Puts a stack under Node's own net, http, https, http2, tls, dgram and dns.
 * @module
 */
import type { Prefix } from '../base/address.ts';
import type { DnsSettings } from '../dns/settings.ts';
import { type Running, setCurrent } from './current.ts';
import { interceptDns } from './dns.ts';
import { Engine } from './engine.ts';
import { interceptTcp } from './intercept.ts';
import { interceptUdp } from './udp-handle.ts';

export interface InstallOptions {
  /** Destinations, and addresses to listen on, that stay with the kernel; none by default. */
  readonly kernelRoutes?: readonly Prefix[];
  /** Whom to ask for names, in place of what resolv.conf says. */
  readonly dns?: Partial<DnsSettings>;
}

/**
 * From now on the sockets of this thread are the stack's, however and whenever the program got
 * hold of net, http, dgram or dns. Unix sockets, pipes, descriptors and IPC stay Node's. Throws when
 * this Node has changed too much to be sure.
 */
export function install(running: Running, options: InstallOptions = {}): Engine {
  const engine = new Engine(running.stack, running.loop, options.kernelRoutes ?? []);
  setCurrent(running);
  interceptTcp(engine);
  interceptUdp(engine);
  interceptDns(engine, options.dns ?? {});
  return engine;
}
