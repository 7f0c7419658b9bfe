/**
 * From a name to addresses, as getaddrinfo(3) does it: hosts(5), then the servers, with the search
 * domains of resolv.conf(5), IPv4 and IPv6 at once.
 * @module
 */
import { isIPv6 } from 'node:net';
import { Address } from '../base/address.ts';
import type { Hosts } from './hosts.ts';
import { isName } from './message.ts';
import { type QueryError, type QueryOptions, query } from './query.ts';
import { type DnsSettings, withoutDot } from './settings.ts';

export type Family = 0 | 4 | 6;

/** The codes of getaddrinfo(3) that a program sees: no such name, or ask again later. */
export type LookupError = 'ENOTFOUND' | 'EAI_AGAIN';

export interface LookupRequest {
  readonly name: string;
  readonly family: Family;
}

/** The addresses of a name, best first, or why there are none. Never rejects. */
export async function lookup(
  { name, family }: LookupRequest,
  hosts: Hosts,
  settings: DnsSettings,
  canReach: (address: Address) => boolean,
): Promise<string[] | LookupError> {
  const known = hosts.addressesOf(name);
  if (known !== null) {
    const fitting = known.filter((address) => family === 0 || isIPv6(address) === (family === 6));
    return fitting.length > 0 ? bestFirst(fitting, canReach) : 'ENOTFOUND';
  }
  let isTemporary = false;
  for (const candidate of candidates(name, settings)) {
    const found = await addressesOf(candidate, family, settings);
    if (Array.isArray(found)) return bestFirst(found, canReach);
    // Nobody answers: the next name would wait as long for as little.
    if (found === 'ETIMEOUT' || found === 'ECONNREFUSED') return 'EAI_AGAIN';
    if (found === 'ESERVFAIL' || found === 'EREFUSED') isTemporary = true;
  }
  return isTemporary ? 'EAI_AGAIN' : 'ENOTFOUND';
}

/** The absolute names to try for `name`, in the order of resolv.conf(5). */
export function candidates(name: string, { search, ndots }: DnsSettings): string[] {
  if (name.endsWith('.')) return [withoutDot(name)].filter(isName);
  const isWhole = name.split('.').length - 1 >= ndots;
  const longer = search.map((domain) => `${name}.${domain}`);
  return (isWhole ? [name, ...longer] : [...longer, name]).filter(isName);
}

async function addressesOf(
  name: string,
  family: Family,
  settings: DnsSettings,
): Promise<string[] | QueryError> {
  const options: QueryOptions = {
    servers: settings.servers,
    timeoutMs: settings.timeoutMs,
    maxTimeoutMs: 0,
    attempts: settings.attempts,
    signal: new AbortController().signal,
    local: null,
  };
  const types = family === 4 ? ['A'] : family === 6 ? ['AAAA'] : ['A', 'AAAA'];
  const results = await Promise.all(
    types.map((type) => query({ name, type: type as 'A' | 'AAAA' }, options)),
  );
  const found = results.filter((result) => Array.isArray(result)).flat();
  if (found.length > 0) return found.map((record) => (record as { data: string }).data);
  const errors = results.filter((result) => typeof result === 'string');
  return errors.find((error) => error !== 'ENODATA' && error !== 'ENOTFOUND') ?? errors[0]!;
}

/**
 * Sorts by RFC 6724: what cannot be reached last (rule 1), then by the policy table's precedence
 * (rule 6), else as it came.
 */
function bestFirst(
  addresses: readonly string[],
  canReach: (address: Address) => boolean,
): string[] {
  const rank = new Map(
    addresses.map((text) => {
      const address = Address.tryParse(text);
      const reachable = address !== null && canReach(address);
      return [text, (reachable ? 100 : 0) + (address === null ? 0 : precedence(address))];
    }),
  );
  return [...addresses].sort((one, other) => rank.get(other)! - rank.get(one)!);
}

/** RFC 6724 2.1, as far as real addresses go. */
function precedence(address: Address): number {
  if (address.version === 4) return 35;
  if (address.isLoopback) return 50;
  const first = address.w0 >>> 16;
  if ((first & 0xfe00) === 0xfc00) return 3;
  if (first === 0x2002) return 30;
  return address.w0 === 0x2001_0000 ? 5 : 40;
}
