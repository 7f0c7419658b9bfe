/**
 * The servers, on the stack's own sockets: echo, a source that never ends, source and sink.
 * @module
 */
import { CLOSED, ENDED, READABLE, WRITABLE } from 'dpdk-net/stack';
import { PORTS } from '../programs.mjs';
import { makeScratch } from './machine.mjs';

const BACKLOG = 1 << 20;

/** Sends back what comes. */
class Echo {
  #scratch;

  constructor(stack) {
    this.#scratch = makeScratch(stack);
  }

  accepted() {}

  onEvents(events, socket) {
    if (events & READABLE) {
      const length = socket.read(this.#scratch);
      if (length > 0 && socket.write(this.#scratch, 0, length) < length) {
        throw new Error('the send buffer is smaller than an echo');
      }
    }
    if (events & ENDED) socket.close();
  }
}

/** Sends without end; drops what comes. */
class Source {
  #scratch;

  constructor(stack) {
    this.#scratch = makeScratch(stack);
  }

  accepted(socket) {
    this.#pump(socket);
  }

  onEvents(events, socket) {
    if (events & CLOSED) return;
    if (events & READABLE) while (socket.read(this.#scratch) > 0);
    if (events & WRITABLE) this.#pump(socket);
    if (events & ENDED) socket.close();
  }

  #pump(socket) {
    while (socket.write(this.#scratch) === this.#scratch.length);
  }
}

/** Accepts for a service. */
class Acceptor {
  #service;

  constructor(service) {
    this.#service = service;
  }

  onEvents(_events, listener) {
    for (let socket = listener.accept(); socket !== null; socket = listener.accept()) {
      socket.owner = this.#service;
      this.#service.accepted(socket);
    }
  }
}

/** Listens on the ports of programs.mjs. */
export function serve(stack) {
  for (const [port, service] of [
    [PORTS.echo, new Echo(stack)],
    [PORTS.stream, new Source(stack)],
    [PORTS.duplex, new Source(stack)],
  ]) {
    stack.tcp.listen({ port, backlog: BACKLOG }).owner = new Acceptor(service);
  }
}
