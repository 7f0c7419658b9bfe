/**
 * Our UDP sockets with promises, for tests.
 * @module
 */
import { Address } from '../../../dist/base/address.js';
import { FAILED } from '../../../dist/base/events.js';
import { Waiting } from './conversation.mjs';

const LARGEST = 65_536;

export class Datagrams extends Waiting {
  /** A socket of `stack` on `port`; 0: any. */
  constructor({ stack, loop }, port = 0) {
    const socket = stack.udp.open();
    if (port !== 0) socket.bind(null, port);
    super(socket, loop);
  }

  toString() {
    return `UDP port ${this.source.localPort}`;
  }

  connect(address, port) {
    this.source.connect(Address.parse(address), port);
  }

  /** To where connect() said, or to `address` and `port`. */
  async send(bytes, address, port) {
    const to = address === undefined ? [] : [Address.parse(address), port];
    await this.until(() => this.source.send(bytes, 0, bytes.length, ...to) === bytes.length);
  }

  /** The next datagram, and who sent it. */
  async receive(patienceMs) {
    const into = Buffer.alloc(LARGEST);
    const length = await this.until(() => {
      const count = this.source.receive(into);
      return count < 0 ? undefined : { count };
    }, patienceMs);
    const { fromPort } = this.source;
    const address = String(this.source.fromAddress());
    return { bytes: into.subarray(0, length.count), address, port: fromPort };
  }

  /** The error that an ICMP message brought. */
  async failed(patienceMs) {
    await this.until(() => (this.seen & FAILED) !== 0, patienceMs);
    return this.source.error;
  }

  close() {
    this.source.close();
  }
}
