/**
 * One queue of astray.mjs: accepts and echoes, and opens its own share of connections to the peer.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { CLOSED, CONNECTED, ENDED, READABLE } from 'dpdk-net/stack';
import { Address } from '../../dist/base/address.js';
import { openLink } from '../../dist/dpdk/index.js';
import { openQueue } from '../../dist/runtime/queues.js';

/** Under way at a time: what waits for a queue that stands still must have room in its ring. */
const PARALLEL = 128;
const ASTRAY = 0.1;
const SEGMENTS = 3;
const SEGMENT_BYTES = 1400;
const BYTES = SEGMENTS * SEGMENT_BYTES;
/** One server port has fewer connections than there are client ports. */
const PORTS = [7001, 7002, 7003, 7004];
const TELL_EVERY = 1000;

const { ticket, peer, connections } = workerData;
const link = openLink(ticket.link);
link.steering.sendAstray(ASTRAY);
const { stack, loop } = openQueue(ticket);
loop.hold();
const address = Address.parse(peer);
const buffer = Buffer.alloc(1 << 16);
const message = Buffer.from(Array.from({ length: BYTES }, (_, i) => i % 251));
const figures = { opened: 0, failed: 0, accepted: 0, wrong: 0, probes: 0 };
let begun = 0;
let ended = 0;

const echo = {
  onEvents(events, socket) {
    if (events & READABLE) {
      for (let n = socket.read(buffer); n > 0; n = socket.read(buffer)) socket.write(buffer, 0, n);
    }
    if (events & ENDED) socket.close();
  },
};

const acceptor = {
  onEvents(_events, listener) {
    for (let s = listener.accept(); s !== null; s = listener.accept()) {
      figures.accepted++;
      s.owner = echo;
    }
  },
};

/** A connection of ours: the numbered segments go, and are to come back as they were. */
class Opened {
  #read = 0;
  #isOver = false;

  onEvents(events, socket) {
    if (this.#isOver) return;
    if (events & CONNECTED) {
      for (let i = 0; i < SEGMENTS; i++) {
        socket.write(message, i * SEGMENT_BYTES, (i + 1) * SEGMENT_BYTES);
      }
    }
    if (events & READABLE) {
      for (let n = socket.read(buffer); n > 0; n = socket.read(buffer)) {
        if (buffer.compare(message, this.#read, this.#read + n, 0, n) !== 0) figures.wrong++;
        this.#read += n;
      }
    }
    if (this.#read === BYTES) this.#end(socket, 'opened');
    else if (events & (CLOSED | ENDED)) this.#end(socket, 'failed');
  }

  #end(socket, how) {
    this.#isOver = true;
    figures[how]++;
    socket.close();
    ended++;
    if (ended % TELL_EVERY === 0) parentPort.postMessage({ done: TELL_EVERY });
    if (ended === connections) parentPort.postMessage({ done: ended % TELL_EVERY });
    next();
  }
}

/** Before all others, until it succeeds: the peer's threads may start later than a neighbor is asked for. */
const probe = {
  onEvents(events, socket) {
    if (events & CONNECTED) {
      figures.probes++;
      socket.owner = { onEvents() {} };
      socket.close();
      for (let i = 0; i < PARALLEL; i++) next();
    } else if (events & CLOSED) {
      begin();
    }
  },
};

function begin() {
  stack.tcp.connect({ address, port: PORTS[0] }).owner = probe;
}

function next() {
  if (begun === connections) return;
  const port = PORTS[begun++ % PORTS.length];
  stack.tcp.connect({ address, port }).owner = new Opened();
}

parentPort.on('message', () => {
  const { tcp } = stack.report();
  const counters = link.counters();
  parentPort.postMessage({
    figures: {
      ...figures,
      outOfOrder: tcp.tcp_out_of_order ?? 0,
      retransmits: tcp.tcp_retransmits ?? 0,
      frames: counters.rxFrames,
      handedOver: counters.rxHandedOver,
      handoverFull: counters.rxHandoverFull,
    },
  });
});
for (const port of PORTS) stack.tcp.listen({ port, backlog: 4096 }).owner = acceptor;
begin();
loop.wake();
