/**
 * Structured logs: one line per event worth knowing, with its level and its fields.
 *
 *     2026-01-02T03:04:05.678Z info  listening service=echo port=7
 *     {"time":"2026-01-02T03:04:05.678Z","level":"info","event":"listening","service":"echo","port":7}
 *
 * An event that comes again and again is told a few times a second, and how often it was not.
 * @module
 */

export const LEVELS = ['debug', 'info', 'warn', 'error', 'off'] as const;

export type Level = (typeof LEVELS)[number];

export type Fields = Readonly<Record<string, unknown>>;

export interface LoggerOptions {
  /** The least level that is told. */
  readonly level: Level;
  readonly format: 'text' | 'json';
  /** Gets each line, with its end. */
  readonly write: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Times that an event of one name is told in a second. */
const MOST_PER_SECOND = 10;
const SECOND_MS = 1000;

/** How often an event was told, and not told, since its second began. */
interface Tally {
  since: number;
  told: number;
  suppressed: number;
}

export class Logger {
  readonly #options: LoggerOptions;
  readonly #fields: Fields;
  readonly #tallies: Map<string, Tally>;

  constructor(options: LoggerOptions, fields: Fields = {}, tallies = new Map<string, Tally>()) {
    this.#options = options;
    this.#fields = fields;
    this.#tallies = tallies;
  }

  /** What it tells, and how. */
  get settings(): Pick<LoggerOptions, 'level' | 'format'> {
    const { level, format } = this.#options;
    return { level, format };
  }

  /** Writes a whole line, with its end, of a logger of another thread. */
  pass(line: string): void {
    this.#options.write(line);
  }

  /** The same logger with fields that every line has. */
  with(fields: Fields): Logger {
    return new Logger(this.#options, { ...this.#fields, ...fields }, this.#tallies);
  }

  debug(event: string, fields: Fields = {}): void {
    this.#log('debug', event, fields);
  }

  info(event: string, fields: Fields = {}): void {
    this.#log('info', event, fields);
  }

  warn(event: string, fields: Fields = {}): void {
    this.#log('warn', event, fields);
  }

  /** An Error among the fields is told by its message, with its stack in JSON. */
  error(event: string, fields: Fields = {}): void {
    this.#log('error', event, fields);
  }

  #log(level: Level, event: string, fields: Fields): void {
    const { level: least, now = Date.now } = this.#options;
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
    const at = now();
    const suppressed = this.#countDown(event, at);
    if (suppressed < 0) return;
    const all = { ...this.#fields, ...fields, ...(suppressed === 0 ? {} : { suppressed }) };
    this.#options.write(this.#line(new Date(at).toISOString(), level, event, all));
  }

  /** How many of this event were not told before this one; -1: nor is this one. */
  #countDown(event: string, at: number): number {
    let tally = this.#tallies.get(event);
    if (tally === undefined) {
      tally = { since: at, told: 0, suppressed: 0 };
      this.#tallies.set(event, tally);
    }
    if (at - tally.since >= SECOND_MS) {
      tally.since = at;
      tally.told = 0;
    }
    if (tally.told >= MOST_PER_SECOND) {
      tally.suppressed++;
      return -1;
    }
    tally.told++;
    const { suppressed } = tally;
    tally.suppressed = 0;
    return suppressed;
  }

  #line(time: string, level: Level, event: string, fields: Fields): string {
    if (this.#options.format === 'json') {
      return `${JSON.stringify({ time, level, event, ...fields }, plainError)}\n`;
    }
    const words = Object.entries(fields).map(([name, value]) => ` ${name}=${textOf(value)}`);
    return `${time} ${level.padEnd(5)} ${event}${words.join('')}\n`;
  }
}

function plainError(_: string, value: unknown): unknown {
  return value instanceof Error ? { message: value.message, stack: value.stack } : value;
}

/** Quoted where it would not be one word. */
function textOf(value: unknown): string {
  const text = value instanceof Error ? value.message : value;
  if (typeof text === 'string') return /^[\w.:/*[\]-]+$/.test(text) ? text : JSON.stringify(text);
  return JSON.stringify(text) ?? String(text);
}
