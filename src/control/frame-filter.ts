/**
 * Which frames are wanted, in the words of tcpdump:
 *
 *     tcp and port 80 and not host 10.0.0.1        arp or icmp        net fd00::/64
 *
 * Terms are arp, ip, ip6, tcp, udp, icmp (of both families), host A, net P, port N; between them
 * stand and, or, not and parentheses.
 * @module
 */
import { Address, Prefix, V4_PREFIX } from '../base/address.ts';
import { type FrameLayout, locate } from '../link/locate.ts';
import * as Ethernet from '../wire/ethernet.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import * as Tcp from '../wire/tcp.ts';

/** Whether the frame of `length` bytes at `at` is wanted. */
export type FrameFilter = (view: DataView, at: number, length: number) => boolean;

type Term = (view: DataView, layout: FrameLayout) => boolean;

const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;

/** The filter of a request's parameters; everything when it has none. Throws when it is wrong. */
export function filterOf({ filter }: Readonly<Record<string, unknown>>): FrameFilter {
  return parseFilter(typeof filter === 'string' ? filter : '');
}

/** Throws an Error that names the word that is wrong. */
export function parseFilter(text: string): FrameFilter {
  const words = text.match(/[()]|[^\s()]+/g) ?? [];
  if (words.length === 0) return () => true;
  const term = new Parser(words).whole();
  return (view, at, length) => term(view, locate(view, at, length));
}

class Parser {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  whole(): Term {
    const term = this.#or();
    if (this.#at < this.#words.length) throw this.#unexpected('and, or');
    return term;
  }

  #or(): Term {
    const terms = [this.#and()];
    while (this.#take('or')) terms.push(this.#and());
    return (view, layout) => terms.some((term) => term(view, layout));
  }

  #and(): Term {
    const terms = [this.#not()];
    while (this.#take('and')) terms.push(this.#not());
    return (view, layout) => terms.every((term) => term(view, layout));
  }

  #not(): Term {
    if (this.#take('not')) {
      const term = this.#not();
      return (view, layout) => !term(view, layout);
    }
    if (!this.#take('(')) return this.#term();
    const term = this.#or();
    if (!this.#take(')')) throw this.#unexpected(')');
    return term;
  }

  #term(): Term {
    const word = this.#words[this.#at] ?? '';
    const simple = Object.hasOwn(SIMPLE, word) ? SIMPLE[word] : undefined;
    if (simple !== undefined) {
      this.#at++;
      return simple;
    }
    if (!['host', 'net', 'port'].includes(word)) {
      throw this.#unexpected(`${Object.keys(SIMPLE).join(', ')}, host, net, port, not or (`);
    }
    this.#at++;
    const value = this.#words[this.#at];
    const term = value === undefined ? null : termOf(word, value);
    if (term === null) throw this.#unexpected(EXPECTED[word]!);
    this.#at++;
    return term;
  }

  #take(word: string): boolean {
    if (this.#words[this.#at] !== word) return false;
    this.#at++;
    return true;
  }

  #unexpected(wanted: string): Error {
    const word = this.#words[this.#at];
    const what = word === undefined ? 'the filter ends' : `'${word}'`;
    return new Error(`filter: ${what} where one of these should be: ${wanted}`);
  }
}

const SIMPLE: Readonly<Record<string, Term>> = {
  arp: (_, { etherType }) => etherType === Ethernet.ETHERTYPE_ARP,
  ip: (_, { version }) => version === 4,
  ip6: (_, { version }) => version === 6,
  tcp: (_, { protocol }) => protocol === PROTOCOL_TCP,
  udp: (_, { protocol }) => protocol === PROTOCOL_UDP,
  icmp: (_, { version, protocol }) =>
    protocol === (version === 4 ? Ipv4.PROTOCOL_ICMP : Ipv6.PROTOCOL_ICMPV6),
};

const EXPECTED: Readonly<Record<string, string>> = {
  host: 'an address',
  net: 'a network such as 10.0.0.0/8',
  port: 'a number up to 65535',
};

function termOf(word: string, value: string): Term | null {
  if (word === 'port') {
    return /^\d{1,5}$/.test(value) && Number(value) <= 65535 ? portTerm(Number(value)) : null;
  }
  const single = Address.tryParse(value);
  if (word === 'host' && single === null) return null;
  const text = single === null ? value : `${value}/${single.version === 4 ? 32 : 128}`;
  try {
    return text.includes('/') ? networkTerm(Prefix.parse(text)) : null;
  } catch {
    return null;
  }
}

function portTerm(port: number): Term {
  return (view, { protocol, transportAt, end, fragment }) => {
    if ((protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) || fragment) return false;
    if (end - transportAt < 4) return false;
    // UDP has its ports where TCP has them.
    return Tcp.srcPort(view, transportAt) === port || Tcp.dstPort(view, transportAt) === port;
  };
}

function networkTerm(network: Prefix): Term {
  return (view, { version, networkAt }) => {
    if (version === 4) {
      const has = (word: number): boolean => network.contains(0, 0, V4_PREFIX, word);
      return has(Ipv4.src(view, networkAt)) || has(Ipv4.dst(view, networkAt));
    }
    if (version !== 6) return false;
    const has = (word: (i: number) => number): boolean =>
      network.contains(word(0), word(1), word(2), word(3));
    return has((i) => Ipv6.src(view, networkAt, i)) || has((i) => Ipv6.dst(view, networkAt, i));
  };
}
