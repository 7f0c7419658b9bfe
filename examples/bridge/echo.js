/**
 * An echo server in the main thread, on the queues of a device: the stacks run on an lcore for each
 * queue, and this thread has none.
 *
 *     node examples/bridge/echo.js [dpdk-net.toml] [port]
 */
import { ACCEPTABLE } from 'dpdk-net/bridge';
import { openLcores } from 'dpdk-net/lcore';

const [config = 'dpdk-net.toml', port = '7'] = process.argv.slice(2);
const lcores = await openLcores({ config });
const bridge = lcores.bridge();

/** Sends back what arrives, without a copy of its own: from one lent view into another. */
class Echo {
  onEvents(_events, socket) {
    for (let view = socket.peek(); view.length > 0; view = socket.peek()) {
      const taken = socket.closed ? view.length : socket.write(view);
      socket.consume(taken);
      // The pipe is full: WRITABLE follows, and until then the peer's window closes.
      if (taken < view.length) return;
    }
    if (socket.ended) socket.close();
  }
}

const listener = await bridge.listen({ port: Number(port) });
listener.owner = {
  onEvents(events) {
    if ((events & ACCEPTABLE) === 0) return;
    for (let socket = listener.accept(); socket !== null; socket = listener.accept()) {
      socket.setNoDelay(true);
      socket.owner = new Echo();
    }
  },
};

console.log(`listening on port ${listener.port}, on queues ${listener.queues.join(', ')}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => lcores.close());
