/**
 * The clients in plain Node, the twins of lean/loads.mjs.
 * @module
 */
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ResponseCounter } from '../http-response.mjs';
import { CHUNK_BYTES, MESSAGE_BYTES, PORTS, REQUEST } from '../programs.mjs';

const OPENING = 256;
const SETTLE_MS = 20;
const message = Buffer.alloc(MESSAGE_BYTES, 'x');
const chunk = Buffer.alloc(CHUNK_BYTES, 'x');

class Load {
  done = 0;
  sockets = [];
  stopped = false;
  #address;

  constructor(address, { load, connections }) {
    this.#address = address;
    this.port = PORTS[load];
    this.connections = connections;
  }

  connect(connected) {
    const socket = net.connect({ host: this.#address, port: this.port, noDelay: true }, connected);
    socket.on('error', (error) => this.#failed(error));
    return socket;
  }

  /** What was done so far. */
  get units() {
    return this.done;
  }

  async open() {
    while (this.sockets.length < this.connections) {
      const batch = Math.min(OPENING, this.connections - this.sockets.length);
      const opening = Array.from({ length: batch }, () => this.connect());
      await Promise.all(opening.map((socket) => once(socket, 'connect')));
      this.sockets.push(...opening);
    }
    for (const socket of this.sockets) this.listenTo(socket);
  }

  async stop() {
    this.stopped = true;
    for (const socket of this.sockets) socket.resetAndDestroy();
    await sleep(SETTLE_MS);
  }

  #failed(error) {
    if (!this.stopped) throw error;
  }
}

class Echo extends Load {
  listenTo(socket) {
    socket.on('data', (data) => {
      this.done += data.length / MESSAGE_BYTES;
      if (!this.stopped) socket.write(data);
    });
  }

  start() {
    for (const socket of this.sockets) socket.write(message);
  }
}

class Stream extends Load {
  listenTo(socket) {
    socket.on('data', (data) => {
      this.done += data.length;
    });
  }

  start() {}
}

class Duplex extends Load {
  #read = 0;
  #sent = 0;

  get units() {
    return this.#read + this.#sent;
  }

  listenTo(socket) {
    socket.on('data', (data) => {
      this.#read += data.length;
    });
  }

  start() {
    const [socket] = this.sockets;
    const sent = () => {
      this.#sent += CHUNK_BYTES;
      pump();
    };
    const pump = () => {
      while (!this.stopped && socket.writableLength < 4 * CHUNK_BYTES) socket.write(chunk, sent);
    };
    pump();
  }
}

class Connect extends Load {
  async open() {}

  start() {
    for (let i = 0; i < this.connections; i++) this.#cycle();
  }

  #cycle() {
    const socket = this.connect(() => socket.write(message));
    socket.on('data', () => {
      if (this.stopped) return;
      socket.end();
      this.done++;
      this.#cycle();
    });
  }
}

class Http extends Load {
  listenTo(socket) {
    const counter = new ResponseCounter();
    socket.on('data', (data) => {
      const responses = counter.take(data, data.length);
      this.done += responses;
      for (let i = 0; i < responses && !this.stopped; i++) socket.write(REQUEST);
    });
  }

  start() {
    for (const socket of this.sockets) socket.write(REQUEST);
  }
}

const LOADS = { echo: Echo, stream: Stream, duplex: Duplex, connect: Connect, http: Http };

/** The load of a case of programs.mjs, against the server at `address`. */
export function makeLoad(address, one) {
  return new LOADS[one.load](address, one);
}
