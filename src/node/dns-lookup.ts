/**
 * dns.lookup() and dns.lookupService(), which Node asks the C library: here the stack asks.
 *
 * Node's own functions check the arguments first (of a literal address they do nothing else), and
 * keep what is not for us: literal addresses, names that the kernel's resolver is to answer.
 * @module
 */
import dns from 'node:dns';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { type Family, type LookupError, lookup as resolve } from '../dns/lookup.ts';
import { readText } from '../dns/settings.ts';
import { namesOf, systemOptions } from './dns-channel.ts';
import type { DnsSystem } from './dns-system.ts';
import { parseAddress } from './names.ts';

type Callback = (error: Error | null, ...result: unknown[]) => void;
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Order = 'verbatim' | 'ipv4first' | 'ipv6first';

interface Options {
  readonly family: Family;
  readonly hints: number;
  readonly all: boolean;
  readonly order: Order;
}

interface Found {
  readonly address: string;
  readonly family: number;
}

/** One of a name's addresses, without a way to misuse it: enough for Node to check the options. */
const ANY_LITERAL = '127.0.0.1';
/** libuv's numbers for what getaddrinfo() says. */
const ERRNO: Readonly<Record<LookupError, number>> = { ENOTFOUND: -3008, EAI_AGAIN: -3001 };
/** What inet_aton() takes for an address: the C library knows these forms, and asks nobody. */
const ODD_LITERAL = /^(0x[\da-f]*|\d+)(\.(0x[\da-f]*|\d+)){0,3}$/i;

/** Replaces the functions on Node's dns and dns/promises. */
export function interceptLookups(now: { system: DnsSystem }): void {
  const { lookup, lookupService } = dns as unknown as Record<string, AnyFunction>;
  const promises = dns.promises as unknown as Record<string, AnyFunction>;
  const own = promises['lookup']!;
  const ownService = promises['lookupService']!;
  replace(dns, 'lookup', lookup!, lookupCallback(now, lookup!));
  replace(dns, 'lookupService', lookupService!, serviceCallback(now, lookupService!));
  replace(promises, 'lookup', own, (...args) => {
    const [name, options] = args;
    if (!isOurs(now.system, name)) return own(...args);
    void own(ANY_LITERAL, options);
    const given = optionsOf(options);
    return find(now.system, name, given).then((found) => (given.all ? found : found[0]));
  });
  replace(promises, 'lookupService', ownService, (...args) => {
    const [address, port] = args as [string, number];
    if (isServiceKernel(now.system, address, port)) return ownService(...args);
    return serviceOf(now.system, address, Number(port));
  });
}

/** Our function in the place of Node's, with its name, its length and how it is promisified. */
function replace(holder: object, name: string, own: AnyFunction, ours: AnyFunction): void {
  const { prototype: _, ...described } = Object.getOwnPropertyDescriptors(own);
  Object.defineProperties(ours, described as PropertyDescriptorMap);
  Object.assign(holder, { [name]: ours });
}

function lookupCallback(now: { system: DnsSystem }, own: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [name] = args;
    const callback = args.findLast((arg) => typeof arg === 'function') as Callback | undefined;
    if (!isOurs(now.system, name) || callback === undefined) return own.apply(this, args);
    const nothing = (): void => {};
    own.apply(this, [
      ANY_LITERAL,
      ...args.slice(1).map((arg) => (arg === callback ? nothing : arg)),
    ]);
    const options = optionsOf(args[1] === callback ? undefined : args[1]);
    // A callback that throws is an uncaught exception, not a promise's.
    find(now.system, name, options).then(
      (found) => {
        if (options.all) process.nextTick(callback, null, found);
        else process.nextTick(callback, null, found[0]!.address, found[0]!.family);
      },
      (error) => process.nextTick(callback, error),
    );
    return {};
  };
}

/** True for a name that the stack looks up. */
function isOurs(system: DnsSystem, name: unknown): name is string {
  if (typeof name !== 'string' || name === '' || isIP(name) !== 0) return false;
  if (ODD_LITERAL.test(name) || name.includes('\0')) return false;
  const known = system.hosts.addressesOf(name);
  if (known === null || known.length === 0) return !system.isKernel(system.settings.servers);
  return !known.every((address) => system.isKernelAddress(address));
}

/** Node has checked them. */
function optionsOf(given: unknown): Options {
  const options = (typeof given === 'number' ? { family: given } : (given ?? {})) as {
    family?: Family | 'IPv4' | 'IPv6' | null;
    hints?: number | null;
    all?: boolean | null;
    verbatim?: boolean | null;
    order?: Order | null;
  };
  const { family } = options;
  const verbatim = options.verbatim === false ? 'ipv4first' : options.verbatim ? 'verbatim' : null;
  return {
    family: family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : (family ?? 0),
    hints: options.hints ?? 0,
    all: options.all ?? false,
    order: options.order ?? verbatim ?? (dns.getDefaultResultOrder() as Order),
  };
}

async function find(system: DnsSystem, name: string, options: Options): Promise<Found[]> {
  const { hints, order } = options;
  let { family } = options;
  if ((hints & dns.ADDRCONFIG) !== 0 && family === 0) family = onlyFamily(system);
  const isMapped = family === 6 && (hints & dns.V4MAPPED) !== 0;
  let found = await ask(system, name, family);
  if (isMapped && (typeof found === 'string' || (hints & dns.ALL) !== 0)) {
    const more = await ask(system, name, 4);
    const mapped = typeof more === 'string' ? [] : more.map((address) => `::ffff:${address}`);
    if (mapped.length > 0) found = typeof found === 'string' ? mapped : [...found, ...mapped];
  }
  if (typeof found === 'string') throw failure(found, 'getaddrinfo', name, ERRNO[found]);
  const addresses = found.map((address) => ({ address, family: isIP(address) }));
  if (order === 'verbatim') return addresses;
  const first = order === 'ipv4first' ? 4 : 6;
  return [
    ...addresses.filter((one) => one.family === first),
    ...addresses.filter((one) => one.family !== first),
  ];
}

/** ADDRCONFIG: the one family in which there is a way out, 0 when it is both or none. */
function onlyFamily(system: DnsSystem): Family {
  const hasV4 = system.hasFamily(4);
  if (hasV4 === system.hasFamily(6)) return 0;
  return hasV4 ? 4 : 6;
}

function ask(system: DnsSystem, name: string, family: Family): Promise<string[] | LookupError> {
  const ascii = domainToASCII(name) || name;
  return resolve({ name: ascii, family }, system.hosts, system.settings, system.canReach);
}

function failure(code: string, syscall: string, hostname: string, errno?: number): Error {
  const error = new Error(`${syscall} ${code} ${hostname}`);
  return Object.assign(error, { errno, code, syscall, hostname });
}

function serviceCallback(now: { system: DnsSystem }, own: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [address, port, callback] = args as [string, number, Callback];
    const isComplete = args.length === 3 && typeof callback === 'function';
    if (!isComplete || isServiceKernel(now.system, address, port)) return own.apply(this, args);
    serviceOf(now.system, address, Number(port)).then(
      ({ hostname, service }) => process.nextTick(callback, null, hostname, service),
      (error) => process.nextTick(callback, error),
    );
    return {};
  };
}

/** True also for arguments that Node's own function is to refuse. */
function isServiceKernel(system: DnsSystem, address: unknown, port: unknown): boolean {
  if (typeof address !== 'string' || isIP(address) === 0) return true;
  const isPort = /^\d{1,5}$/.test(String(port)) && Number(port) < 65536;
  return !isPort || system.isKernel(system.settings.servers);
}

async function serviceOf(
  system: DnsSystem,
  address: string,
  port: number,
): Promise<{ hostname: string; service: string }> {
  const names = await namesOf(parseAddress(address)!, system, systemOptions(system));
  // getnameinfo(3) gives the number where there is no name, and fails where nobody answers.
  if (names === 'ETIMEOUT' || names === 'ECONNREFUSED' || names === 'ESERVFAIL') {
    throw failure('EAI_AGAIN', 'getnameinfo', address, ERRNO.EAI_AGAIN);
  }
  const hostname = typeof names === 'string' ? address : (names[0] ?? address);
  return { hostname, service: serviceName(port) };
}

/** The name of a TCP port in services(5), its number where it has none. */
function serviceName(port: number): string {
  const line = new RegExp(`^(\\S+)\\s+${port}/tcp\\b`, 'm');
  return readText('/etc/services').match(line)?.[1] ?? String(port);
}
