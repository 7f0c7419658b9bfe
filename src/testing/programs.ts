/**
 * Small programs for simulated hosts: an echo server, a transfer of bytes. Each takes the
 * place of a socket's owner (see network.ts).
 * @module
 */
import { ACCEPTABLE, CLOSED, CONNECTED, ENDED, READABLE, WRITABLE } from '../base/events.ts';
import type { TcpListener } from '../tcp/listener.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import type { EventHandler, Host } from './network.ts';

const CHUNK = 16_384;

/** Listens on `port` and runs `program` on each connection. */
export function serve(host: Host, port: number, program: (socket: TcpSocket) => void): TcpListener {
  const listener = host.stack.tcp.listen({ port });
  listener.owner = ((events) => {
    if ((events & ACCEPTABLE) === 0) return;
    for (let socket = listener.accept(); socket !== null; socket = listener.accept()) {
      program(socket);
      // What happened before there was an owner.
      (socket.owner as EventHandler | null)?.(socket.takeEvents() | READABLE | WRITABLE);
    }
  }) satisfies EventHandler;
  return listener;
}

/** Sends back what comes, and ends when the peer ends. */
export function echo(socket: TcpSocket): void {
  const held = new Uint8Array(CHUNK);
  let from = 0;
  let to = 0;
  let done = false;
  const own: EventHandler = (events) => {
    done ||= (events & CLOSED) !== 0;
    if (done) return;
    for (;;) {
      from += socket.write(held, from, to);
      if (from < to) return;
      from = 0;
      to = socket.read(held);
      if (to === 0) break;
    }
    done = socket.ended;
    if (done) socket.close();
  };
  socket.owner = own;
}

/** What a transfer has seen of its socket. */
export interface Transfer {
  /** All that was received, in order. */
  readonly received: Uint8Array;
  /** The peer's FIN came, and everything before it was read. */
  readonly ended: boolean;
  /** The socket is finished; its `error` says how. */
  readonly closed: boolean;
}

/** Sends `bytes` and the FIN, collects what comes, and closes when both sides are done. */
export function transfer(socket: TcpSocket, bytes: Uint8Array): Transfer {
  const chunk = new Uint8Array(CHUNK);
  const state = { received: new Uint8Array(0), ended: false, closed: false };
  let store = new Uint8Array(CHUNK);
  let sent = 0;
  let finished = false;

  const write = (): void => {
    if (sent < bytes.length) sent += socket.write(bytes, sent, bytes.length);
    finished = sent === bytes.length;
    if (finished) socket.shutdown();
  };
  const read = (): void => {
    let length = state.received.length;
    for (let count = socket.read(chunk); count > 0; count = socket.read(chunk)) {
      if (length + count > store.length) store = enlarged(store);
      store.set(chunk.subarray(0, count), length);
      length += count;
    }
    state.received = store.subarray(0, length);
    state.ended ||= socket.ended;
  };
  const own: EventHandler = (events) => {
    if ((events & CLOSED) !== 0) state.closed = true;
    if ((events & (READABLE | ENDED)) !== 0) read();
    if (state.closed) return;
    if ((events & (CONNECTED | WRITABLE)) !== 0 && !finished) write();
    if (finished && state.ended) socket.close();
  };
  socket.owner = own;
  return state;
}

function enlarged(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * bytes.length);
  larger.set(bytes);
  return larger;
}
