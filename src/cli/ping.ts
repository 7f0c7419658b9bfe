/**
 * `dpdk-net ping`: echo requests from a stack that the configuration describes, told as iputils'
 * ping tells it.
 * @module
 */
import { writeSync } from 'node:fs';
import { Address } from '../base/address.ts';
import { WRITABLE } from '../base/events.ts';
import { loadConfig } from '../config/config.ts';
import { DEFAULT_FILE } from '../config/default-file.ts';
import { TIME_EXCEEDED } from '../net/transport.ts';
import { EMPTY, type PingSocket } from '../ping/socket.ts';
import { nowMicros } from '../runtime/now.ts';
import { openStack, type RunningStack } from '../runtime/open-stack.ts';
import { StartError, UsageError } from './errors.ts';
import { addLoss, addReply, lineOf, type Outcome, Statistics, summaryOf } from './ping-report.ts';

export interface PingSettings {
  readonly config: string | null;
  readonly settings: readonly string[];
  /** Requests; 0: until SIGINT. */
  readonly count: string;
  /** Bytes of the payload. */
  readonly size: string;
  /** Seconds between requests. */
  readonly interval: string;
  readonly json: boolean;
}

const STDOUT = 1;
const SIZE_MAX = 65_507;
const SEQUENCES = 0x10000;
/** How long the last reply is waited for. */
const PATIENCE_MS = 2000;
const INTERVAL_MIN = 0.002;

/**
 * Pings and prints; 0 when there was a reply, else 1. Throws ConfigError or UsageError before
 * anything is started, StartError when the stack can not be opened.
 */
export async function ping(target: string, settings: PingSettings): Promise<number> {
  const address = addressOf(target);
  const count = numberOf('--count', settings.count, 0, 1e9, true);
  const size = numberOf('--size', settings.size, 0, SIZE_MAX, true);
  const interval = numberOf('--interval', settings.interval, INTERVAL_MIN, 86_400, false);
  const config = loadConfig(settings.config ?? DEFAULT_FILE, settings.settings);
  let running: RunningStack;
  try {
    running = openStack(config);
  } catch (error) {
    throw new StartError(error);
  }
  const pinging = new Pinging(running, address, count, size, interval * 1000, settings.json);
  try {
    await pinging.run();
  } finally {
    running.close();
  }
  print(summaryOf(pinging.statistics, target, settings.json));
  return pinging.statistics.received > 0 ? 0 : 1;
}

class Pinging {
  readonly statistics: Statistics = new Statistics();
  readonly #running: RunningStack;
  readonly #socket: PingSocket;
  readonly #address: Address;
  readonly #count: number;
  readonly #intervalMs: number;
  readonly #json: boolean;
  readonly #payload: Uint8Array;
  readonly #into: Uint8Array;
  /** By sequence: when the request was sent, in microseconds; negative once it was answered. */
  readonly #sentAt: Map<number, number> = new Map();
  #timer: NodeJS.Timeout | null = null;
  #end: () => void = () => {};

  constructor(
    running: RunningStack,
    address: Address,
    count: number,
    size: number,
    intervalMs: number,
    json: boolean,
  ) {
    this.#running = running;
    this.#address = address;
    this.#count = count;
    this.#intervalMs = intervalMs;
    this.#json = json;
    this.#payload = Uint8Array.from({ length: size }, (_, index) => (index + 0x10) & 0xff);
    this.#into = new Uint8Array(SIZE_MAX + 100);
    this.#socket = running.stack.ping.open();
    this.#socket.owner = this;
  }

  /** Resolves when all is sent and answered, waited for long enough, or SIGINT came. */
  async run(): Promise<void> {
    const { loop } = this.#running;
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve;
    });
    process.once('SIGINT', this.#end);
    loop.hold();
    if (!this.#json) print(`PING ${this.#address} ${this.#payload.length} bytes of data.\n`);
    try {
      this.#next();
      await ended;
    } finally {
      if (this.#timer !== null) clearTimeout(this.#timer);
      process.removeListener('SIGINT', this.#end);
      this.#socket.close();
      loop.release();
    }
  }

  onEvents(events: number): void {
    const now = nowMicros();
    const socket = this.#socket;
    for (;;) {
      const bytes = socket.receive(this.#into);
      if (bytes === EMPTY) break;
      this.#tell(bytes, now);
    }
    if ((events & WRITABLE) !== 0) this.#running.loop.wake();
    const { sent, received, errors } = this.statistics;
    if (this.#count > 0 && sent === this.#count && received + errors >= sent) this.#end();
  }

  #next(): void {
    const { statistics } = this;
    if (this.#count > 0 && statistics.sent === this.#count) {
      this.#timer = setTimeout(this.#end, PATIENCE_MS);
      return;
    }
    this.#timer = setTimeout(() => this.#next(), this.#intervalMs);
    statistics.sent++;
    const sequence = statistics.sent % SEQUENCES;
    this.#sentAt.set(sequence, nowMicros());
    try {
      // Without room on the link the request is lost, as one on the wire would be.
      this.#socket.send(this.#address, sequence, this.#payload, 0, this.#payload.length);
    } catch (error) {
      const outcome = { kind: 'error', sequence, error: (error as Error).message } as const;
      addLoss(statistics);
      print(lineOf(outcome, this.#json));
      if (this.#count > 0 && statistics.sent === this.#count) this.#end();
    }
    this.#running.loop.wake();
  }

  #tell(bytes: number, now: number): void {
    const socket = this.#socket;
    const sequence = socket.fromSequence;
    const sentAt = this.#sentAt.get(sequence);
    if (sentAt === undefined) return;
    let outcome: Outcome;
    if (socket.fromError !== '') {
      addLoss(this.statistics);
      const error = socket.fromKind === TIME_EXCEEDED ? 'Time to live exceeded' : socket.fromError;
      outcome = { kind: 'error', sequence, error };
    } else {
      const milliseconds = (now - Math.abs(sentAt)) / 1000;
      const duplicate = sentAt < 0;
      addReply(this.statistics, milliseconds, duplicate);
      this.#sentAt.set(sequence, -Math.abs(sentAt));
      const from = String(socket.fromAddress());
      outcome = {
        kind: 'reply',
        sequence,
        bytes: bytes + 8,
        from,
        hops: socket.fromHops,
        milliseconds,
        duplicate,
      };
    }
    print(lineOf(outcome, this.#json));
  }
}

function print(text: string): void {
  writeSync(STDOUT, text);
}

function addressOf(text: string): Address {
  try {
    return Address.parse(text);
  } catch {
    throw new UsageError(`${text} is not an IPv4 or IPv6 address`);
  }
}

function numberOf(
  option: string,
  text: string,
  least: number,
  most: number,
  whole: boolean,
): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
    throw new UsageError(`${option} ${text} is not a number from ${least} to ${most}`);
  }
  return value;
}
