/**
 * What bench/bridge.mjs launches on an lcore: an echo server on its stack, and a relay that gives a
 * connection to another thread by messages, the way there is without a bridge.
 * @module
 */
import { ACCEPTABLE } from '../../lib/bridge/index.js';
import { Address } from '../../lib/stack/index.js';

/** Listens on the stack and sends back what comes; returns the port. */
export function echo(_, { stack }) {
  const listener = stack.tcp.listen({ port: 0 });
  const onEvents = (_events, socket) => {
    for (let view = socket.peek(); view.length > 0; view = socket.peek()) {
      const taken = socket.write(view);
      socket.consume(taken);
      if (taken < view.length) return;
    }
    if (socket.ended) socket.close();
  };
  listener.owner = {
    onEvents(events) {
      if ((events & ACCEPTABLE) === 0) return;
      for (let socket = listener.accept(); socket !== null; socket = listener.accept()) {
        socket.setNoDelay(true);
        socket.owner = { onEvents };
      }
    },
  };
  return listener.port;
}

/** Connects, and posts what is received; what is posted to it is sent. */
export function relay({ to, port }, { stack, running }) {
  const socket = stack.tcp.connect({ address: Address.parse('127.0.0.1'), port: to });
  socket.setNoDelay(true);
  const waiting = [];
  const pump = () => {
    while (waiting.length > 0) {
      const taken = socket.write(waiting[0]);
      if (taken < waiting[0].length) {
        waiting[0] = waiting[0].subarray(taken);
        break;
      }
      waiting.shift();
    }
    running.loop.wake();
  };
  socket.owner = {
    onEvents() {
      while (socket.readable > 0) {
        const bytes = new Uint8Array(Math.min(socket.readable, 65536));
        socket.read(bytes);
        port.postMessage(bytes, [bytes.buffer]);
      }
      pump();
    },
  };
  port.on('message', (bytes) => {
    waiting.push(bytes);
    pump();
  });
  port.on('close', () => socket.abort());
}
