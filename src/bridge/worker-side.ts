/**
 * The worker's side of a bridge: the sockets on its stack that one other thread uses.
 *
 * It is looked after by the stack's poll loop, so that what the thread wrote leaves with the same
 * turn's poll. The thread's port closes when the thread ends, however it ends: then everything
 * that was its is reset.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import { Address } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import type { LoopPart, PollLoop } from '../runtime/poll-loop.ts';
import { NO_SLOT } from '../shared/events.ts';
import { SharedPipe } from '../shared/pipe.ts';
import type { Stack } from '../stack/stack.ts';
import { Channel } from './channel.ts';
import {
  type BindMessage,
  type ConnectMessage,
  type ListenMessage,
  type ToThread,
  type ToWorker,
  WAKE,
} from './messages.ts';
import { DATAGRAM_PIPE_BYTES, type Ends, wordsOf } from './records.ts';
import { WorkerListener, WorkerTcp } from './worker-tcp.ts';
import { WorkerUdp } from './worker-udp.ts';

/** What a slot is used by. */
export interface BridgeEnd {
  /** The thread says something about it: bits of channel.ts. */
  onNews(news: number): void;
  /** The thread is gone. */
  abandon(): void;
}

/** Slots looked after in a turn of the loop. */
const MOST_A_TURN = 256;

/** A stack and what drives it; a RunningStack is one. */
export interface Served {
  readonly stack: Stack;
  readonly loop: PollLoop;
}

/** Serves a thread that has the other end of the port; ends with it. */
export function serveBridge(running: Served, port: MessagePort): void {
  const attach = (message: ToWorker): void => {
    if (message.type !== 'attach') return;
    port.off('message', attach);
    new WorkerSide(running, port, new Channel(message.memory));
  };
  port.on('message', attach);
  // Nobody waits for it here: the loop has reasons of its own to go on, or none.
  port.unref();
}

export class WorkerSide implements LoopPart {
  readonly channel: Channel;
  readonly #running: Served;
  readonly #port: MessagePort;
  readonly #ends: (BridgeEnd | null)[];
  readonly #free: number[];
  readonly #waiting: WorkerListener[] = [];
  #isAsleep = false;

  constructor(running: Served, port: MessagePort, channel: Channel) {
    const { slots } = channel.shape;
    this.channel = channel;
    this.#running = running;
    this.#port = port;
    this.#ends = Array.from({ length: slots }, () => null);
    // The last one freed is the next one taken: its memory is warm, and no other is touched.
    this.#free = Array.from({ length: slots }, (_, index) => slots - 1 - index);
    port.on('message', (message: ToWorker) => this.#receive(message));
    port.on('close', () => this.#abandon());
    port.unref();
    running.loop.join(this);
    running.loop.hold();
  }

  // ---- for the loop ----

  poll(): number {
    const { toWorker } = this.channel;
    if (this.#isAsleep) toWorker.wake();
    this.#isAsleep = false;
    let done = 0;
    for (; done < MOST_A_TURN; done++) {
      const slot = toWorker.next();
      if (slot === NO_SLOT) break;
      this.#ends[slot]?.onNews(toWorker.take(slot));
    }
    return done;
  }

  sleep(): boolean {
    this.#isAsleep = this.channel.toWorker.sleep();
    return this.#isAsleep;
  }

  // ---- for the sockets ----

  /** A slot that nobody uses, -1: there is none. */
  take(): number {
    return this.#free.pop() ?? -1;
  }

  add(slot: number, end: BridgeEnd): void {
    this.#ends[slot] = end;
  }

  /** Neither side uses the slot any more. */
  free(slot: number): void {
    this.#ends[slot] = null;
    this.channel.inPipe(slot).reset();
    this.channel.outPipe(slot).reset();
    this.#free.push(slot);
    this.#waiting.shift()?.accept();
  }

  /** The next slot that is free is the listener's. */
  awaitSlot(listener: WorkerListener): void {
    if (!this.#waiting.includes(listener)) this.#waiting.push(listener);
  }

  /** Tells the thread what happened. */
  tell(slot: number, events: number): void {
    if (this.channel.toThread.raise(slot, events)) this.#port.postMessage(WAKE);
  }

  // ---- for the thread ----

  #receive(message: ToWorker): void {
    switch (message.type) {
      case 'connect':
        this.#open(message.id, (slot) => this.#connect(message.id, slot, message));
        break;
      case 'listen':
        this.#open(message.id, (slot) => this.#listen(message.id, slot, message));
        break;
      case 'bind':
        this.#open(message.id, (slot) => this.#bind(message.id, slot, message));
        break;
      case 'count':
        this.#post({ type: 'counted', id: message.id, slots: this.slotsInUse });
        break;
      default:
        break;
    }
    this.#running.loop.wake();
  }

  get slotsInUse(): number {
    return this.#ends.length - this.#free.length;
  }

  #open(id: number, open: (slot: number) => void): void {
    const slot = this.take();
    if (slot < 0) {
      this.#post({ type: 'failed', id, code: 'ENOBUFS', text: 'all slots of a bridge are in use' });
      return;
    }
    try {
      open(slot);
    } catch (error) {
      this.free(slot);
      if (!(error instanceof StackError)) throw error;
      this.#post({ type: 'failed', id, code: error.code, text: error.message });
    }
  }

  #post(message: ToThread): void {
    this.#port.postMessage(message);
  }

  #opened(id: number, slot: number, ends: Ends): void {
    this.#post({ type: 'opened', id, slot, ends: wordsOf(ends) });
  }

  #connect(id: number, slot: number, message: ConnectMessage): void {
    const { address, port, localAddress, localPort } = message;
    const socket = this.#running.stack.tcp.connect({
      address: Address.parse(address),
      port,
      localPort,
      ...(localAddress === null ? {} : { localAddress: Address.parse(localAddress) }),
    });
    const onConnected = (): boolean => {
      if (socket.connection !== null) {
        this.#opened(id, slot, socket);
        return true;
      }
      this.free(slot);
      const text = `connect ${address}:${port}: ${socket.error}`;
      this.#post({ type: 'failed', id, code: socket.error, text });
      return false;
    };
    this.add(slot, new WorkerTcp(this, slot, socket, onConnected));
  }

  #listen(id: number, slot: number, message: ListenMessage): void {
    const { address, port, backlog, memory, pipeBytes } = message;
    const local = parsed(address);
    const listener = this.#running.stack.tcp.listen({ address: local, port, backlog });
    const pipe = new SharedPipe(memory, 0, pipeBytes);
    this.add(slot, new WorkerListener(this, slot, listener, pipe));
    this.#opened(id, slot, unconnected(local, listener.port));
  }

  #bind(id: number, slot: number, { address, port, memory }: BindMessage): void {
    const socket = this.#running.stack.udp.open();
    try {
      socket.bind(parsed(address), port);
    } catch (error) {
      socket.close();
      throw error;
    }
    const pipes = [
      new SharedPipe(memory[0], 0, DATAGRAM_PIPE_BYTES),
      new SharedPipe(memory[1], 0, DATAGRAM_PIPE_BYTES),
    ] as const;
    this.add(slot, new WorkerUdp(this, slot, socket, pipes));
    this.#opened(id, slot, unconnected(socket.localAddress, socket.localPort));
  }

  #abandon(): void {
    const { loop } = this.#running;
    loop.leave(this);
    for (const end of this.#ends) end?.abandon();
    loop.wake();
    loop.release();
  }
}

function parsed(address: string | null): Address | null {
  return address === null ? null : Address.parse(address);
}

function unconnected(address: Address | null, localPort: number): Ends {
  const localAddress = address ?? Address.ANY_V6;
  return { localAddress, localPort, remoteAddress: Address.ANY_V6, remotePort: 0 };
}
