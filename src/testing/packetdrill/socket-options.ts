/**
 * setsockopt() and getsockopt(): Linux's options as far as the stack has them.
 * @module
 */
import type { TcpSocket } from '../../tcp/socket.ts';
import { DatagramFile, done, type File, failed, type Outcome, StreamFile } from './files.ts';
import type { Value } from './syntax.ts';
import { CONSTANTS } from './values.ts';

/** `value`: the number given, or a record's fields; text for names. */
type Setter = (file: StreamFile, value: number, given: Value) => void;
type Getter = (file: StreamFile) => number;

interface Option {
  readonly set?: Setter;
  readonly get?: Getter;
}

/** Seconds to milliseconds. */
const S = 1000;

/** Applies to the connection there is, or to those to come. */
function whenConnected(file: StreamFile, apply: (socket: TcpSocket) => void): void {
  if (file.socket !== null) apply(file.socket);
  else file.settings.push(apply);
}

/** Keepalive's four settings are one call of the stack. */
class KeepAlive {
  on = false;
  idle: number | undefined;
  interval: number | undefined;
  count: number | undefined;
}

const keepAlives: WeakMap<File, KeepAlive> = new WeakMap();

function setKeepAlive(file: StreamFile, change: (settings: KeepAlive) => void): void {
  const settings = keepAlives.get(file) ?? new KeepAlive();
  keepAlives.set(file, settings);
  change(settings);
  whenConnected(file, (socket) => {
    socket.setKeepAlive(settings.on, settings.idle, settings.interval, settings.count);
  });
}

const keepAlive = (change: (settings: KeepAlive, value: number) => void): Option => ({
  set: (file, value) => setKeepAlive(file, (settings) => change(settings, value)),
});

const ACCEPTED: Option = { set: () => {} };

const SOCKET_OPTIONS: Readonly<Record<string, Option>> = {
  // A listener's address is free as soon as the listener is gone.
  SO_REUSEADDR: ACCEPTED,
  SO_PRIORITY: ACCEPTED,
  SO_REUSEPORT: {
    set: (file, value) => {
      file.reusePort = value !== 0;
    },
  },
  SO_ERROR: { get: (file) => errnoNumber(file.takeError()) },
  SO_KEEPALIVE: keepAlive((settings, value) => {
    settings.on = value !== 0;
  }),
  SO_LINGER: {
    set: (file, _, given) => {
      const linger = fieldNumber(given, 'l_onoff') === 0 ? -1 : S * fieldNumber(given, 'l_linger');
      whenConnected(file, ({ options }) => {
        options.linger = linger;
      });
    },
    get: (file) => file.socket?.options.linger ?? -1,
  },
  // Linux doubles what it is told.
  SO_SNDBUF: {
    set: (file, value) => {
      file.stack.tcp.options.sendBufferBytes = Math.max(2048, 2 * value);
    },
  },
};

/** An option of the stack's sockets: a property of socket.options. */
function property(name: 'noDelay' | 'cork' | 'quickAck'): Option {
  return {
    set: (file, value) =>
      whenConnected(file, ({ options }) => {
        options[name] = value !== 0;
      }),
    get: (file) => (file.socket?.options[name] === true ? 1 : 0),
  };
}

const TCP_OPTIONS: Readonly<Record<string, Option>> = {
  TCP_NODELAY: property('noDelay'),
  TCP_CORK: property('cork'),
  TCP_QUICKACK: property('quickAck'),
  TCP_MAXSEG: {
    set: (file, value) =>
      whenConnected(file, ({ options }) => {
        options.maxSegment = value;
      }),
    get: (file) => file.socket?.connection?.mss ?? 0,
  },
  TCP_NOTSENT_LOWAT: {
    set: (file, value) =>
      whenConnected(file, ({ options }) => {
        options.notSentLowWater = value;
      }),
    get: (file) => file.socket?.options.notSentLowWater ?? 0,
  },
  TCP_KEEPIDLE: keepAlive((settings, value) => {
    settings.idle = value * S;
  }),
  TCP_KEEPINTVL: keepAlive((settings, value) => {
    settings.interval = value * S;
  }),
  TCP_KEEPCNT: keepAlive((settings, value) => {
    settings.count = value;
  }),
  TCP_USER_TIMEOUT: {
    set: (file, value) => whenConnected(file, (socket) => socket.setUserTimeout(value)),
  },
  TCP_CONGESTION: {
    set: (file, _, given) => {
      const name = given.kind === 'text' ? given.text : '';
      whenConnected(file, (socket) => socket.setCongestion(name === 'reno' ? 'newreno' : name));
    },
  },
};

const TRAFFIC_CLASS: Option = {
  set: (file, value) => whenConnected(file, (socket) => socket.setTrafficClass(value)),
};
const HOPS: Option = {
  set: (file, value) => whenConnected(file, (socket) => socket.setHops(value)),
};

const IP_OPTIONS: Readonly<Record<string, Option>> = { IP_TOS: TRAFFIC_CLASS, IP_TTL: HOPS };

const IPV6_OPTIONS: Readonly<Record<string, Option>> = {
  IPV6_TCLASS: TRAFFIC_CLASS,
  IPV6_UNICAST_HOPS: HOPS,
  IPV6_V6ONLY: {
    set: (file, value) => {
      file.v6Only = value !== 0;
    },
  },
};

const LEVELS: Readonly<Record<number, Readonly<Record<string, Option>>>> = {
  [CONSTANTS['SOL_SOCKET']!]: SOCKET_OPTIONS,
  [CONSTANTS['SOL_TCP']!]: TCP_OPTIONS,
  [CONSTANTS['SOL_IP']!]: IP_OPTIONS,
  [CONSTANTS['SOL_IPV6']!]: IPV6_OPTIONS,
};

const FAMILIES: Readonly<Record<number, RegExp>> = {
  [CONSTANTS['SOL_SOCKET']!]: /^SO_/,
  [CONSTANTS['SOL_TCP']!]: /^TCP_/,
  [CONSTANTS['SOL_IP']!]: /^IP_/,
  [CONSTANTS['SOL_IPV6']!]: /^IPV6_/,
};

/** The option's name for messages. */
export function optionName(level: number, option: number): string {
  const family = FAMILIES[level] ?? /^$/;
  const known = Object.entries(CONSTANTS).find(([name, n]) => n === option && family.test(name));
  return known?.[0] ?? `option ${option} of level ${level}`;
}

/** null: the stack has no such option. */
export function setOption(file: File, level: number, name: string, given: Value): Outcome | null {
  if (file instanceof DatagramFile) return setDatagramOption(file, name);
  const set = LEVELS[level]?.[name]?.set;
  if (set === undefined || !(file instanceof StreamFile)) return null;
  set(file, numberOf(given), given);
  return done(0);
}

function setDatagramOption(file: DatagramFile, name: string): Outcome | null {
  if (name === 'SO_REUSEADDR') {
    file.socket.reuseAddress = true;
    return done(0);
  }
  // Errors of ICMP come with or without it.
  return name === 'IP_RECVERR' ? done(0) : null;
}

/** The value, as a wrong outcome when it is not the expected; null: no such option. */
export function getOption(
  file: File,
  level: number,
  name: string,
  expected: Value,
): Outcome | null {
  if (name === 'SO_ERROR' && file instanceof DatagramFile) {
    return checked(name, errnoNumber(file.takeError()), expected);
  }
  const get = LEVELS[level]?.[name]?.get;
  if (get === undefined || !(file instanceof StreamFile)) return null;
  if (file.socket === null && file.listener === null && name !== 'SO_ERROR')
    return failed('EINVAL');
  return checked(name, get(file), expected);
}

function checked(name: string, value: number, expected: Value): Outcome {
  if (expected.kind === 'any') return done(0);
  const wanted = numberOf(expected);
  return value === wanted ? done(0) : { ...done(0), wrong: `${name} is ${value}, not ${wanted}` };
}

function fieldNumber(value: Value, name: string): number {
  if (value.kind !== 'record') return 0;
  return numberOf(value.fields.find((field) => field.name === name)?.value);
}

/** A number, or the first of a list: options stand in brackets. */
export function numberOf(value: Value | undefined): number {
  if (value?.kind === 'number') return value.number;
  return value?.kind === 'list' ? numberOf(value.items[0]) : 0;
}

/** Linux's numbers, for SO_ERROR. */
const ERRNOS: Readonly<Record<string, number>> = {
  EPIPE: 32,
  EMSGSIZE: 90,
  EPROTO: 71,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
};

function errnoNumber(name: string): number {
  return name === '' ? 0 : (ERRNOS[name] ?? -1);
}
