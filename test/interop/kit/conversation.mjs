/**
 * Our TCP sockets with promises, for tests.
 * @module
 */
import { createHash } from 'node:crypto';
import { CLOSED, CONNECTED } from '../../../dist/base/events.js';
import { Pattern } from './pattern.mjs';

const PATIENCE_MS = 120_000;

/** Somebody who waits for what happens to a socket. */
export class Waiting {
  #checks = new Set();

  constructor(source, loop) {
    this.source = source;
    this.loop = loop;
    this.seen = 0;
    source.owner = this;
  }

  onEvents(events) {
    this.seen |= events;
    for (const check of [...this.#checks]) check();
  }

  /**
   * Resolves with what `test()` returned once that is neither undefined nor false; it is asked
   * again whenever something happened. Rejects with what it throws, or after `patienceMs`.
   */
  until(test, patienceMs = PATIENCE_MS) {
    return new Promise((resolve, reject) => {
      const settle = (how, value) => {
        clearTimeout(timer);
        this.#checks.delete(check);
        how(value);
      };
      const check = () => {
        try {
          const value = test();
          if (value !== undefined && value !== false) settle(resolve, value);
        } catch (error) {
          settle(reject, error);
        }
      };
      const story = new Error(`nothing happened for ${patienceMs} ms: ${this}`);
      const timer = setTimeout(() => settle(reject, story), patienceMs);
      this.#checks.add(check);
      check();
      this.loop.wake();
    });
  }
}

export class Conversation extends Waiting {
  get socket() {
    return this.source;
  }

  toString() {
    const { stateName, readable, unacknowledged, bytesRead, bytesWritten } = this.source;
    return `${stateName}, ${readable} to read, ${unacknowledged} not acknowledged, ${bytesRead} read, ${bytesWritten} written`;
  }

  #fail() {
    const { error } = this.source;
    if (error !== '') throw Object.assign(new Error(error), { code: error });
  }

  established() {
    return this.until(() => {
      this.#fail();
      return (this.seen & CONNECTED) !== 0;
    });
  }

  /** All of `bytes`, taken into the send buffer. */
  async write(bytes, patienceMs) {
    let at = 0;
    await this.until(() => {
      this.#fail();
      at += this.source.write(bytes, at);
      return at === bytes.length;
    }, patienceMs);
  }

  /** What there is to read: at least a byte; null at the end. */
  read(patienceMs) {
    return this.until(() => {
      const { readable } = this.source;
      if (readable > 0) {
        const bytes = Buffer.alloc(readable);
        this.source.read(bytes);
        return bytes;
      }
      if (this.source.ended) return null;
      this.#fail();
      return undefined;
    }, patienceMs);
  }

  /** Exactly `length` bytes as text. */
  async readText(length, patienceMs) {
    let text = '';
    while (text.length < length) {
      const bytes = await this.read(patienceMs);
      if (bytes === null) throw new Error(`ended after ${text.length} of ${length} bytes`);
      text += bytes.toString('latin1');
    }
    return text;
  }

  /** Everything up to the end: how many bytes, and their SHA-256. */
  async digest(patienceMs) {
    const hash = createHash('sha256');
    const { source } = this;
    let bytes = 0;
    await this.until(() => {
      while (source.readable > 0) {
        const view = source.peek();
        hash.update(view);
        bytes += view.length;
        source.consume(view.length);
      }
      this.#fail();
      return source.ended;
    }, patienceMs);
    return { bytes, sha256: hash.digest('hex') };
  }

  /** Resolves when digest() or the like has read that many bytes in all. */
  hasRead(bytes, patienceMs) {
    return this.until(() => {
      this.#fail();
      return this.source.bytesRead >= bytes;
    }, patienceMs);
  }

  /** `bytes` of the pattern, taken into the send buffer, then FIN. */
  async sendPattern(bytes, patienceMs) {
    const pattern = new Pattern();
    let left = bytes;
    let piece = new Uint8Array(0);
    let at = 0;
    await this.until(() => {
      this.#fail();
      for (;;) {
        at += this.source.write(piece, at);
        if (at < piece.length) return false;
        left -= piece.length;
        if (left === 0) return true;
        piece = pattern.next(left);
        at = 0;
      }
    }, patienceMs);
    this.shutdown();
  }

  shutdown() {
    this.source.shutdown();
    this.loop.wake();
  }

  close() {
    this.source.close();
    this.loop.wake();
  }

  abort() {
    this.source.abort();
    this.loop.wake();
  }

  /** Resolves with the socket's error, '' for an orderly end. */
  async closed(patienceMs) {
    await this.until(() => (this.seen & CLOSED) !== 0, patienceMs);
    return this.source.error;
  }
}

export class Listening extends Waiting {
  toString() {
    return `listening on ${this.source.port}`;
  }

  async accept(patienceMs) {
    const socket = await this.until(() => this.source.accept() ?? undefined, patienceMs);
    const conversation = new Conversation(socket, this.loop);
    conversation.seen = CONNECTED;
    return conversation;
  }

  close() {
    this.source.close();
    this.loop.wake();
  }
}
