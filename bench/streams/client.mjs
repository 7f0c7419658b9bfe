/**
 * The client process on `dpdk-net/stream`, the twin of peers/client.mjs: under `dpdk-net run`.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'dpdk-net/stream';
import { measure, settings } from '../measure.mjs';
import { CHUNK_BYTES, MESSAGE_BYTES, PORTS, PROGRAMS } from '../programs.mjs';

const SETTLE_MS = 20;
const message = Buffer.alloc(MESSAGE_BYTES, 'x');
const chunk = Buffer.alloc(CHUNK_BYTES, 'x');
const given = settings();

/** Counts bytes; what they are for its subclasses say. */
class Load {
  bytes = 0;
  streams = [];
  stopped = false;
  #one;

  constructor(one) {
    this.#one = one;
  }

  get units() {
    return this.bytes;
  }

  async open() {
    const { load, connections } = this.#one;
    const options = { host: given.address, port: PORTS[load], noDelay: true };
    let opened = 0;
    const all = new Promise((resolve, reject) => {
      const handlers = {
        open: () => {
          opened++;
          if (opened === connections) resolve();
        },
        data: (stream, bytes) => this.data(stream, bytes),
        drain: (stream) => this.drain(stream),
        close: (_, error) => {
          if (!this.stopped) reject(error ?? new Error('a connection ended'));
        },
      };
      for (let i = 0; i < connections; i++) this.streams.push(connect(options, handlers));
    });
    await all;
  }

  start() {}

  data(_, bytes) {
    this.bytes += bytes.length;
  }

  drain() {}

  async stop() {
    this.stopped = true;
    for (const stream of this.streams) stream.reset();
    await sleep(SETTLE_MS);
  }
}

class Echo extends Load {
  get units() {
    return this.bytes / MESSAGE_BYTES;
  }

  start() {
    for (const stream of this.streams) stream.write(message);
  }

  data(stream, bytes) {
    this.bytes += bytes.length;
    if (!this.stopped) stream.write(bytes);
  }
}

/** Counts what is acknowledged as well as what is read. */
class Duplex extends Load {
  get units() {
    const { bytesWritten, unacknowledged } = this.streams[0]?.socket ?? {};
    return this.bytes + (bytesWritten ?? 0) - (unacknowledged ?? 0);
  }

  start() {
    this.drain(this.streams[0]);
  }

  drain(stream) {
    while (!this.stopped && stream.write(chunk));
  }
}

const LOADS = { echo: Echo, stream: Load, duplex: Duplex };
const make = (one) => new LOADS[one.load](one);
await measure(PROGRAMS[given.program], make, sleep, given);
process.exit(0);
