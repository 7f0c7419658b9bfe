/**
 * What goes through pipes in pieces: connections that were accepted, and datagrams.
 * @module
 */
import { Address } from '../base/address.ts';
import type { SharedPipe } from '../shared/pipe.ts';

/** Two ends of a connection. */
export interface Ends {
  readonly localAddress: Address;
  readonly localPort: number;
  readonly remoteAddress: Address;
  readonly remotePort: number;
}

/** As they are posted. */
export type EndWords = readonly number[];

export function wordsOf(ends: Ends): EndWords {
  const { localAddress: a, remoteAddress: b } = ends;
  return [a.w0, a.w1, a.w2, a.w3, ends.localPort, b.w0, b.w1, b.w2, b.w3, ends.remotePort];
}

export function endsOf(words: ArrayLike<number>): Ends {
  const at = (i: number): Address =>
    new Address(words[i]!, words[i + 1]!, words[i + 2]!, words[i + 3]!);
  return {
    localAddress: at(0),
    localPort: words[4]!,
    remoteAddress: at(5),
    remotePort: words[9]!,
  };
}

/** Of a connection in the pipe of its listener: the slot, and its ends. A power of two. */
export const ACCEPTED_BYTES = 64;

/** Worker: tells of a connection. There is room for it. */
export function putAccepted(pipe: SharedPipe, slot: number, ends: Ends): void {
  const words = wordsAt(pipe, pipe.tailAt, ACCEPTED_BYTES);
  words[0] = slot;
  words.set(wordsOf(ends), 1);
  pipe.commit(ACCEPTED_BYTES);
}

/** Thread: the connection `index` from the front, which stays there. */
export function acceptedAt(pipe: SharedPipe, index: number): { slot: number; ends: Ends } {
  const at = (pipe.headAt + index * ACCEPTED_BYTES) & (pipe.capacity - 1);
  const words = wordsAt(pipe, at, ACCEPTED_BYTES);
  return { slot: words[0]!, ends: endsOf(words.subarray(1)) };
}

/** In front of a datagram's bytes: length, port, address. Datagrams begin at multiples of it. */
const HEAD_BYTES = 32;
/** A length that says: go on at the pipe's beginning. */
const SKIP = -1;
/** The pipe of a UDP socket: the largest datagram always fits when it is empty. */
export const DATAGRAM_PIPE_BYTES: number = 1 << 18;
export const LARGEST_DATAGRAM = 65535;

/** Producer: where the bytes of a datagram of up to `length` go, in one piece; -1: no room now. */
export function datagramRoom(pipe: SharedPipe, length: number): number {
  const needed = recordBytes(length);
  if (pipe.writablePiece >= needed) return pipe.tailAt + HEAD_BYTES;
  const toTheEnd = pipe.capacity - pipe.tailAt;
  if (toTheEnd >= needed || pipe.writable < toTheEnd + needed) return -1;
  wordsAt(pipe, pipe.tailAt, HEAD_BYTES)[0] = SKIP;
  pipe.commit(toTheEnd);
  return HEAD_BYTES;
}

/** Producer: the datagram is there, at what datagramRoom() gave. */
export function putDatagram(
  pipe: SharedPipe,
  length: number,
  address: Address,
  port: number,
): void {
  const words = wordsAt(pipe, pipe.tailAt, HEAD_BYTES);
  words[0] = length;
  words[1] = port;
  words[2] = address.w0;
  words[3] = address.w1;
  words[4] = address.w2;
  words[5] = address.w3;
  pipe.commit(recordBytes(length));
}

export interface Datagram {
  /** Of its bytes in the pipe. */
  readonly at: number;
  readonly length: number;
  /** Who sent it, or whom it is for. */
  readonly address: Address;
  readonly port: number;
  /** Bytes in front of its record that nobody used. */
  readonly skipped: number;
}

/** Consumer: the first datagram, null when there is none. */
export function firstDatagram(pipe: SharedPipe): Datagram | null {
  const { readable, headAt } = pipe;
  if (readable === 0) return null;
  const isSkip = wordsAt(pipe, headAt, HEAD_BYTES)[0] === SKIP;
  const skipped = isSkip ? pipe.capacity - headAt : 0;
  if (readable === skipped) return null;
  const at = isSkip ? 0 : headAt;
  const words = wordsAt(pipe, at, HEAD_BYTES);
  const address = new Address(words[2]!, words[3]!, words[4]!, words[5]!);
  return { at: at + HEAD_BYTES, length: words[0]!, address, port: words[1]!, skipped };
}

/** Consumer: drops the first datagram. True when the producer waits for room and is to be told. */
export function dropDatagram(pipe: SharedPipe, { length, skipped }: Datagram): boolean {
  return pipe.consume(skipped + recordBytes(length));
}

function recordBytes(length: number): number {
  return HEAD_BYTES + Math.ceil(length / HEAD_BYTES) * HEAD_BYTES;
}

function wordsAt(pipe: SharedPipe, at: number, bytes: number): Int32Array {
  const { buffer, byteOffset } = pipe.bytes;
  return new Int32Array(buffer, byteOffset + at, bytes / 4);
}
