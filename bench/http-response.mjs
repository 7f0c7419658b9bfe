/**
 * Counts HTTP/1.1 responses with a Content-Length in a stream of bytes: as little as a load
 * generator can do without trusting that a read is a response.
 * @module
 */
const END_OF_HEAD = '\r\n\r\n';

export class ResponseCounter {
  #head = '';
  /** How much of the head earlier reads brought. */
  #seen = 0;
  #bodyLeft = 0;

  /** Takes the first `length` bytes; returns how many responses ended in them. */
  take(buffer, length) {
    let complete = 0;
    let at = 0;
    while (at < length) {
      if (this.#bodyLeft === 0 && !this.#startsBody(buffer, at, length)) return complete;
      if (this.#head !== '') at = this.#afterHead(at);
      const part = Math.min(this.#bodyLeft, length - at);
      at += part;
      this.#bodyLeft -= part;
      if (this.#bodyLeft === 0) complete++;
    }
    return complete;
  }

  /** Adds to the head; true once it is whole, with the length of the body known. */
  #startsBody(buffer, at, length) {
    this.#seen = this.#head.length;
    this.#head += buffer.latin1Slice(at, length);
    const end = this.#head.indexOf(END_OF_HEAD);
    if (end === -1) return false;
    if (!this.#head.startsWith('HTTP/1.1 200')) {
      throw new Error(`the server answered ${this.#head.slice(0, 40)}`);
    }
    const bodyBytes = /\r\ncontent-length: *(\d+)/i.exec(this.#head)?.[1];
    if (bodyBytes === undefined) throw new Error('a response without Content-Length');
    this.#bodyLeft = Number(bodyBytes);
    this.#head = this.#head.slice(0, end + END_OF_HEAD.length);
    return true;
  }

  /** Where in this read the body begins. */
  #afterHead(at) {
    const after = at + this.#head.length - this.#seen;
    this.#head = '';
    return after;
  }
}
