/**
 * What stands behind a dns.Resolver: Node's own class with its native channel's methods replaced.
 *
 * Node's JavaScript stays: names, options, errors and promises are its own. The default resolver,
 * and so dns.resolve() and the like, is one of these. A resolver all of whose servers are kernel
 * routes (127.0.0.53) is left to the native channel.
 * @module
 */
import { AsyncResource } from 'node:async_hooks';
import dns from 'node:dns';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type { Address } from '../base/address.ts';
import type { LocalAddress } from '../dns/exchange.ts';
import { type QueryOptions, query } from '../dns/query.ts';
import { QUERY_TYPES, resultOf, reverseName } from '../dns/records.ts';
import { DNS_PORT, type Server } from '../dns/settings.ts';
import type { DnsSystem } from './dns-system.ts';
import { EINVAL } from './errno.ts';
import { parseAddress } from './names.ts';
import { constructorOf, type Request, symbolOf } from './natives.ts';

type Method = (this: object, ...args: never[]) => unknown;
type Methods = Record<string | symbol, Method>;

/** Behind IANA's timeout that nobody gave, as Node hands it to its native channel. */
const NO_TIMEOUT = -1;
const STANDARD_TRIES = 4;

/** One resolver. */
class Channel {
  /** Null: those of the system. */
  servers: readonly Server[] | null = null;
  local: LocalAddress | null = null;
  readonly timeoutMs: number;
  readonly tries: number;
  readonly maxTimeoutMs: number;
  #abort = new AbortController();

  constructor(timeoutMs = NO_TIMEOUT, tries = STANDARD_TRIES, maxTimeoutMs = 0) {
    this.timeoutMs = timeoutMs;
    this.tries = tries;
    this.maxTimeoutMs = maxTimeoutMs;
  }

  options(system: DnsSystem): QueryOptions {
    const { settings } = system;
    return {
      servers: this.servers ?? settings.servers,
      timeoutMs: this.timeoutMs === NO_TIMEOUT ? settings.timeoutMs : this.timeoutMs,
      maxTimeoutMs: this.maxTimeoutMs,
      attempts: this.tries,
      signal: this.#abort.signal,
      local: this.local,
    };
  }

  cancel(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }
}

const channels = new WeakMap<object, Channel>();

function channelOf(handle: object): Channel {
  const channel = channels.get(handle) ?? new Channel();
  channels.set(handle, channel);
  return channel;
}

/** Puts every resolver of this thread, also those that there are, on `now.system`. */
export function interceptResolvers(now: { system: DnsSystem }): void {
  const resolver = new dns.Resolver() as unknown as { _handle: object };
  const prototype = constructorOf(resolver._handle, 'ChannelWrap').prototype as Methods;
  const native = { ...originalsOf(prototype) };
  const methods: Methods = {
    ...queryMethods(now, native),
    ...serverMethods(now, native),
    getHostByAddr: hostByAddress(now, native) as Method,
  };
  for (const [name, method] of Object.entries(methods)) {
    // A method that this Node does not have is none that its lib/dns.js calls.
    if (native[name] !== undefined) prototype[name] = method;
  }
  noteOptions();
}

function originalsOf(prototype: Methods): Methods {
  const names = Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
  return Object.fromEntries(names.map((name) => [name, prototype[name]!]));
}

/** The options of a Resolver go to its native channel only: they are noted on the way. */
function noteOptions(): void {
  const base = Object.getPrototypeOf(dns.Resolver.prototype) as Methods;
  const initialize = symbolOf(base, 'dns:resolver:initializeHandle');
  const original = base[initialize] as (this: object, ...args: number[]) => void;
  base[initialize] = function (this: { _handle: object }, ...args: number[]) {
    original.apply(this, args);
    channels.set(this._handle, new Channel(...args));
  } as Method;
}

function queryMethods(now: { system: DnsSystem }, native: Methods): Methods {
  const methods: Methods = {};
  for (const [method, type] of Object.entries(QUERY_TYPES)) {
    methods[method] = function (this: object, request: Request, given: string) {
      const options = channelOf(this).options(now.system);
      if (now.system.isKernel(options.servers)) {
        return (native[method] as (...args: unknown[]) => unknown).call(this, request, given);
      }
      const name = domainToASCII(given) || given;
      const tell = telling(request);
      void query({ name, type }, options).then((found) => {
        if (typeof found === 'string') tell(found);
        else tell(null, ...resultOf(type, found));
      });
      return 0;
    } as Method;
  }
  return methods;
}

function hostByAddress(now: { system: DnsSystem }, native: Methods): unknown {
  return function (this: object, request: Request, text: string): unknown {
    const address = parseAddress(text);
    if (address === null) return EINVAL;
    const options = channelOf(this).options(now.system);
    if (now.system.isKernel(options.servers)) {
      const original = native['getHostByAddr'] as (...args: unknown[]) => unknown;
      return original.call(this, request, text);
    }
    const tell = telling(request);
    void namesOf(address, now.system, options).then((names) => {
      if (typeof names === 'string') tell(names);
      else tell(null, names);
    });
    return 0;
  };
}

/** The names of an address: from hosts(5), else its PTR records; or the code of the error. */
export async function namesOf(
  address: Address,
  system: DnsSystem,
  options: QueryOptions,
): Promise<readonly string[] | string> {
  const known = system.hosts.namesOf(address.toString());
  if (known !== null) return known;
  const { w0, w1, w2, w3, version } = address;
  const name = reverseName([w0, w1, w2, w3], version);
  const found = await query({ name, type: 'PTR' }, options);
  return typeof found === 'string' ? found : found.map((record) => (record as PtrRecord).data);
}

interface PtrRecord {
  readonly data: string;
}

/** How the settings of the system ask for something that no resolver was named for. */
export function systemOptions(system: DnsSystem): QueryOptions {
  return new Channel(NO_TIMEOUT, system.settings.attempts).options(system);
}

function serverMethods(now: { system: DnsSystem }, native: Methods): Methods {
  const call = (handle: object, name: string, ...args: unknown[]): unknown =>
    (native[name] as (...args: unknown[]) => unknown).apply(handle, args);
  return {
    getServers(this: object): [string, number][] {
      const servers = channelOf(this).servers ?? now.system.settings.servers;
      return servers.map(({ address, port }) => [address, port]);
    },
    setServers(this: object, list: [family: number, address: string, port: number][]) {
      const errno = call(this, 'setServers', list);
      if (errno !== 0) return errno;
      channelOf(this).servers = list.map(([, address, port = DNS_PORT]) => ({ address, port }));
      return 0;
    },
    setLocalAddress(this: object, first: string, second?: string) {
      const result = call(this, 'setLocalAddress', first, second);
      const [v4, v6] = isIP(first) === 4 ? [first, second] : [second, first];
      channelOf(this).local = { v4: v4 ?? '', v6: v6 ?? '' };
      return result;
    },
    cancel(this: object) {
      channelOf(this).cancel();
      return call(this, 'cancel');
    },
  };
}

/** Completes a request in the context that asked, where a callback that throws is uncaught. */
function telling(request: Request): (...result: unknown[]) => void {
  const resource = new AsyncResource('QUERYWRAP');
  return (...result) => {
    process.nextTick(() => resource.runInAsyncScope(() => request.oncomplete?.(...result)));
  };
}
