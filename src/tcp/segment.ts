/**
 * The segment being received: one record per stack, valid until the next segment.   hot path
 * @module
 */
import * as Wire from '../wire/tcp.ts';

export class Segment {
  seq = 0;
  ack = 0;
  flags = 0;
  /** As on the wire, not scaled. */
  window = 0;
  /** Offset of the TCP header, and of the first byte behind the options. */
  at = 0;
  dataAt = 0;
  dataLength = 0;

  /** Fills the record from a header that Wire.check() found to be `headerLength` long. */
  parse(view: DataView, at: number, length: number, headerLength: number): void {
    this.at = at;
    this.seq = Wire.seq(view, at);
    this.ack = Wire.ack(view, at);
    this.flags = Wire.flags(view, at);
    this.window = Wire.window(view, at);
    this.dataAt = at + headerLength;
    this.dataLength = length - headerLength;
  }

  /** SEG.LEN: the sequence numbers it takes, SYN and FIN counted. */
  get length(): number {
    const flags = this.flags;
    return this.dataLength + (flags & Wire.SYN ? 1 : 0) + (flags & Wire.FIN ? 1 : 0);
  }

  /** Cuts `bytes` off the front: they came before. A SYN goes first. */
  trimFront(bytes: number): void {
    if (this.flags & Wire.SYN && bytes > 0) {
      this.flags &= ~Wire.SYN;
      this.seq = (this.seq + 1) | 0;
      bytes--;
    }
    const cut = bytes < this.dataLength ? bytes : this.dataLength;
    this.seq = (this.seq + cut) | 0;
    this.dataAt += cut;
    this.dataLength -= cut;
  }

  /** Keeps only the first `bytes` of the data; a FIN behind what is cut goes too. */
  trimBack(bytes: number): void {
    if (bytes >= this.dataLength) return;
    this.dataLength = bytes;
    this.flags &= ~Wire.FIN;
  }
}
