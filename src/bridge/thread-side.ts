/**
 * One worker's end of a bridge, as the thread that uses it sees it.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import { type ErrorCode, StackError } from '../base/errors.ts';
import type { EventSource } from '../base/events.ts';
import type { EventOwner } from '../runtime/poll-loop.ts';
import { NO_SLOT } from '../shared/events.ts';
import { Channel, type ChannelShape, RELEASE } from './channel.ts';
import {
  type BindMessage,
  type ConnectMessage,
  type ListenMessage,
  type ToThread,
  type ToWorker,
  WAKE,
} from './messages.ts';
import { type Ends, endsOf } from './records.ts';

/** What a slot is used by. */
export interface BridgePart {
  /** Bits of base/events.ts from the worker. */
  onNews(events: number): void;
  onWorkerDeath(): void;
}

/** What all workers' ends have in common: the bridge. */
export interface SideOwner {
  /** There may be news soon: looks for a while before it sleeps. */
  look(): void;
  /** News, or a worker's death: looks now. */
  woken(): void;
  died(side: ThreadSide): void;
}

export interface Opened {
  readonly slot: number;
  readonly ends: Ends;
}

type Question =
  | ({ readonly type: 'connect' } & ConnectMessage)
  | ({ readonly type: 'listen' } & ListenMessage)
  | ({ readonly type: 'bind' } & BindMessage)
  | { readonly type: 'count' };
interface Waiting {
  resolve(answer: ToThread): void;
  reject(error: Error): void;
}

/** Slots looked after in a turn. */
const MOST_A_TURN = 256;

export class ThreadSide {
  readonly channel: Channel;
  /** The number of the worker's queue. */
  readonly queue: number;
  isAlive = true;
  readonly #owner: SideOwner;
  readonly #port: MessagePort;
  readonly #parts: (BridgePart | null)[];
  /** News of slots that this thread will hear of in a message that is under way. */
  readonly #early = new Map<number, number>();
  readonly #waiting = new Map<number, Waiting>();
  #questions = 0;
  #holds = 0;

  constructor(owner: SideOwner, queue: number, port: MessagePort, shape: ChannelShape) {
    this.channel = Channel.allocate(shape);
    this.queue = queue;
    this.#owner = owner;
    this.#port = port;
    this.#parts = Array.from({ length: shape.slots }, () => null);
    this.#post({ type: 'attach', memory: this.channel.memory });
    port.on('message', (message: ToThread) => this.#receive(message));
    port.on('close', () => this.#died());
    port.unref();
  }

  /** Slots in use as this thread sees it. */
  get parts(): number {
    return this.#parts.reduce((count, part) => (part === null ? count : count + 1), 0);
  }

  /** Asks the worker to connect or listen. Rejects with StackError. */
  async open(question: Question): Promise<Opened> {
    const answer = await this.#ask(question);
    if (answer.type === 'failed') throw new StackError(answer.code as ErrorCode, answer.text);
    if (answer.type !== 'opened') throw new Error(`the worker answered '${answer.type}'`);
    return { slot: answer.slot, ends: endsOf(answer.ends) };
  }

  /** Slots in use as the worker sees it. */
  async count(): Promise<number> {
    const answer = await this.#ask({ type: 'count' });
    return answer.type === 'counted' ? answer.slots : 0;
  }

  #ask(question: Question): Promise<ToThread> {
    return new Promise((resolve, reject) => {
      if (!this.isAlive) {
        reject(deathOf(this.queue));
        return;
      }
      const id = this.#questions++;
      this.#waiting.set(id, { resolve, reject });
      this.#hold();
      this.#post({ ...question, id });
    });
  }

  // ---- for sockets ----

  /** Who hears of a slot from now on, and of what was said of it before. */
  add(slot: number, part: BridgePart): void {
    this.#parts[slot] = part;
    this.#hold();
    if (!this.isAlive) queueMicrotask(() => part.onWorkerDeath());
    // In a turn of its own: whoever opened it has no owner there yet.
    else if (this.#early.has(slot)) setImmediate(() => this.#tellEarly(slot));
  }

  /** Tells the worker; bits of channel.ts. */
  tell(slot: number, news: number): void {
    if (!this.isAlive) return;
    if (this.channel.toWorker.raise(slot, news)) this.#port.postMessage(WAKE);
    this.#owner.look();
  }

  /** The slot is not used here any more. */
  release(slot: number): void {
    this.#parts[slot] = null;
    this.tell(slot, RELEASE);
    this.#letGo();
  }

  /** Tells a socket's owner; without one the bits are kept. */
  dispatch(source: EventSource, events: number): void {
    source.events |= events;
    const owner = source.owner as EventOwner | null;
    if (owner !== null && source.events !== 0) owner.onEvents(source.takeEvents(), source);
  }

  // ---- for the bridge ----

  poll(): number {
    const { toThread } = this.channel;
    let done = 0;
    for (; done < MOST_A_TURN; done++) {
      const slot = toThread.next();
      if (slot === NO_SLOT) break;
      const news = toThread.take(slot);
      const part = this.#parts[slot];
      if (part && this.#early.size === 0) part.onNews(news);
      else {
        this.#early.set(slot, (this.#early.get(slot) ?? 0) | news);
        this.#tellEarly(slot);
      }
    }
    return done;
  }

  /** What was said of a slot so far, to whom it belongs by now. */
  #tellEarly(slot: number): void {
    const news = this.#early.get(slot);
    const part = this.#parts[slot];
    if (!part || news === undefined) return;
    this.#early.delete(slot);
    part.onNews(news);
  }

  /** False when there is news. */
  sleep(): boolean {
    return this.channel.toThread.sleep();
  }

  wake(): void {
    this.channel.toThread.wake();
  }

  /** The worker resets what is left. */
  close(): void {
    this.#port.close();
  }

  #receive(message: ToThread): void {
    if (message.type === 'wake') {
      this.#owner.woken();
      return;
    }
    const waiting = this.#waiting.get(message.id)!;
    this.#waiting.delete(message.id);
    this.#letGo();
    waiting.resolve(message);
  }

  #died(): void {
    this.isAlive = false;
    const error = deathOf(this.queue);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    // What it had said before it died counts.
    this.poll();
    for (const part of this.#parts) part?.onWorkerDeath();
    this.#owner.died(this);
  }

  #post(message: ToWorker): void {
    this.#port.postMessage(message);
  }

  /** The process goes on as long as there is something to hear of. */
  #hold(): void {
    if (++this.#holds === 1) this.#port.ref();
  }

  #letGo(): void {
    if (--this.#holds === 0) this.#port.unref();
  }
}

function deathOf(queue: number): StackError {
  return new StackError('ECONNABORTED', `the worker of queue ${queue} has ended`);
}
