/**
 * Whom to ask and how: what resolv.conf(5) says, with the configuration's values before it.
 * @module
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

/** A name server. */
export interface Server {
  readonly address: string;
  readonly port: number;
}

export interface DnsSettings {
  /** In the order in which they are asked; at least one. */
  readonly servers: readonly Server[];
  /** Domains that are tried behind a short name. */
  readonly search: readonly string[];
  /** A name with as many dots is tried as it is before the search domains. */
  readonly ndots: number;
  /** How long a server has for its first answer; twice as long in each further round. */
  readonly timeoutMs: number;
  /** Rounds through the servers. */
  readonly attempts: number;
  /** The file of names that are known without asking: hosts(5). */
  readonly hostsFile: string;
}

export const DNS_PORT = 53;
/** Bounds of resolv.conf(5), which glibc has too. */
const MOST_NDOTS = 15;
const MOST_TIMEOUT_S = 30;
const MOST_ATTEMPTS = 5;

/** What resolv.conf(5) gives where it says nothing. */
const STANDARD: DnsSettings = {
  servers: [{ address: '127.0.0.1', port: DNS_PORT }],
  search: [],
  ndots: 1,
  timeoutMs: 5000,
  attempts: 2,
  hostsFile: '/etc/hosts',
};

/** The settings of this machine, under `given`. */
export function dnsSettings(
  given: Partial<DnsSettings> = {},
  file = '/etc/resolv.conf',
): DnsSettings {
  return { ...STANDARD, ...parseResolvConf(readText(file)), ...given };
}

/** What a text in the form of resolv.conf(5) says; lines that make no sense say nothing. */
export function parseResolvConf(text: string): Partial<DnsSettings> {
  const servers: Server[] = [];
  let search: string[] | null = null;
  const options: Partial<Record<'ndots' | 'timeoutMs' | 'attempts', number>> = {};
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && isIP(words[0] ?? '') !== 0) {
      servers.push({ address: words[0]!, port: DNS_PORT });
    } else if (keyword === 'search' || keyword === 'domain') {
      // The last of these lines wins; '.' is the root, which is tried anyway.
      search = words.map(withoutDot).filter((word) => word !== '');
    } else if (keyword === 'options') {
      for (const word of words) applyOption(word, options);
    }
  }
  return {
    ...(servers.length > 0 ? { servers } : {}),
    ...(search !== null ? { search } : {}),
    ...options,
  };
}

function applyOption(
  word: string,
  options: Partial<Record<'ndots' | 'timeoutMs' | 'attempts', number>>,
): void {
  const [name, digits] = word.split(':');
  if (digits === undefined || !/^\d{1,4}$/.test(digits)) return;
  const value = Number(digits);
  if (name === 'ndots') options.ndots = Math.min(value, MOST_NDOTS);
  else if (value === 0) return;
  else if (name === 'timeout') options.timeoutMs = Math.min(value, MOST_TIMEOUT_S) * 1000;
  else if (name === 'attempts') options.attempts = Math.min(value, MOST_ATTEMPTS);
}

/** A domain without the dot that ends an absolute name. */
export function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** A file's text, '' when it cannot be read: these files need not be there. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
