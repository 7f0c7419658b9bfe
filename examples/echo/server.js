/**
 * An echo server on the stack's own sockets: no streams, no promises, one object per connection.
 *
 *     node examples/echo/server.js [dpdk-net.toml] [port]
 */
import { ACCEPTABLE, openStack } from 'dpdk-net';

const [config = 'dpdk-net.toml', port = '7'] = process.argv.slice(2);
const { stack, loop } = openStack(config);

/** Sends back what arrives. Called after a poll in which something happened to its socket. */
class Echo {
  onEvents(_events, socket) {
    // A lent view of the receive buffer; it is copied once, into the send buffer.
    for (let view = socket.peek(); view.length > 0; view = socket.peek()) {
      const taken = socket.write(view);
      socket.consume(taken);
      // The send buffer is full: WRITABLE follows, and until then the peer's window closes.
      if (taken < view.length) return;
    }
    if (socket.ended) socket.close();
  }
}

const listener = stack.tcp.listen({ port: Number(port) });
listener.owner = {
  onEvents(events) {
    if ((events & ACCEPTABLE) === 0) return;
    for (let socket = listener.accept(); socket !== null; socket = listener.accept()) {
      socket.setNoDelay(true);
      socket.owner = new Echo();
    }
  },
};

loop.hold();
console.log(`echo on port ${listener.port}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => loop.release());
