/**
 * The clients, on the stack's own sockets.
 * @module
 */
import { CLOSED, CONNECTED, READABLE, WRITABLE } from 'dpdk-net/stack';
import { ResponseCounter } from '../http-response.mjs';
import { MESSAGE_BYTES, PORTS, REQUEST } from '../programs.mjs';
import { makeScratch } from './machine.mjs';

/** SYNs under way at a time while connections are opened. */
const OPENING = 256;
/** For the last segments to arrive. */
const SETTLE_MS = 20;

/** What all loads share: opening `connections` to one port, and ending them. */
class Load {
  done = 0;
  sockets = [];
  stopped = false;
  connected = 0;
  #context;

  /** `context`: { machine, stack, address }. */
  constructor(context, { load, connections, active = connections }) {
    this.#context = context;
    this.scratch = makeScratch(context.stack);
    this.port = PORTS[load];
    this.connections = connections;
    this.active = active;
  }

  connect() {
    const { stack, address } = this.#context;
    const socket = stack.tcp.connect({ address, port: this.port });
    socket.owner = this;
    return socket;
  }

  /** What was done so far. */
  get units() {
    return this.done;
  }

  async open() {
    await this.#context.machine.until(() => {
      while (
        this.sockets.length < this.connections &&
        this.sockets.length - this.connected < OPENING
      ) {
        this.sockets.push(this.connect());
      }
      return this.connected === this.connections;
    });
  }

  async stop() {
    this.stopped = true;
    for (const socket of this.sockets) socket.abort();
    await this.#context.machine.wait(SETTLE_MS);
  }

  /** Throws when a connection ended that should not. */
  checkAlive(events, socket) {
    if (events & CLOSED && !this.stopped) throw new Error(`a connection ended: ${socket.error}`);
  }
}

/** One message on each active connection goes to and fro. */
class Echo extends Load {
  start() {
    for (const socket of this.sockets.slice(0, this.active)) {
      socket.write(this.scratch, 0, MESSAGE_BYTES);
    }
  }

  onEvents(events, socket) {
    if (events & READABLE) {
      const length = socket.read(this.scratch);
      this.done += length / MESSAGE_BYTES;
      if (!this.stopped) socket.write(this.scratch, 0, length);
    }
    if (events & CONNECTED) this.connected++;
    this.checkAlive(events, socket);
  }
}

/** Reads what a source sends, as bytes. */
class Stream extends Load {
  start() {}

  onEvents(events, socket) {
    if (events & READABLE) {
      for (let n = socket.read(this.scratch); n > 0; n = socket.read(this.scratch)) this.done += n;
    }
    if (events & CONNECTED) this.connected++;
    this.checkAlive(events, socket);
  }
}

/** Reads and sends at once; counts bytes read and bytes acknowledged. */
class Duplex extends Load {
  #read = 0;

  get units() {
    const [socket] = this.sockets;
    if (socket === undefined) return 0;
    return this.#read + socket.bytesWritten - socket.unsent - socket.unacknowledged;
  }

  start() {
    this.#pump(this.sockets[0]);
  }

  onEvents(events, socket) {
    this.checkAlive(events, socket);
    if (this.stopped) return;
    if (events & READABLE) {
      for (let n = socket.read(this.scratch); n > 0; n = socket.read(this.scratch)) this.#read += n;
    }
    if (events & CONNECTED) this.connected++;
    if (events & WRITABLE) this.#pump(socket);
  }

  #pump(socket) {
    while (socket.write(this.scratch) === this.scratch.length);
  }
}

/** Connects, has one message echoed, closes; each connection that ends is followed by the next. */
class Connect extends Load {
  async open() {}

  start() {
    for (let i = 0; i < this.connections; i++) this.connect();
  }

  onEvents(events, socket) {
    if (this.stopped) return;
    if (events & CONNECTED) socket.write(this.scratch, 0, MESSAGE_BYTES);
    if (events & READABLE && socket.read(this.scratch) > 0) {
      socket.close();
      this.done++;
      this.connect();
    } else if (events & CLOSED && socket.error !== '') {
      throw new Error(`a connection failed: ${socket.error}`);
    }
  }
}

/** One HTTP request at a time on each connection. */
class Http extends Load {
  #counters = new Map();

  start() {
    for (const socket of this.sockets) {
      this.#counters.set(socket, new ResponseCounter());
      socket.write(REQUEST);
    }
  }

  onEvents(events, socket) {
    if (events & READABLE) {
      const length = socket.read(this.scratch);
      const responses = this.#counters.get(socket).take(this.scratch, length);
      this.done += responses;
      for (let i = 0; i < responses && !this.stopped; i++) socket.write(REQUEST);
    }
    if (events & CONNECTED) this.connected++;
    this.checkAlive(events, socket);
  }
}

const LOADS = { echo: Echo, stream: Stream, duplex: Duplex, connect: Connect, http: Http };

/** The load of a case of programs.mjs. `context`: { machine, stack, address }. */
export function makeLoad(context, one) {
  return new LOADS[one.load](context, one);
}
