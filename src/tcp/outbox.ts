/**
 * What a program writes on its way into the send buffer: how much may, and where it goes.
 * @module
 */
import { copyIn } from '../storage/byte-ring.ts';
import type { Heap } from '../storage/heap.ts';
import { roomBelowMark } from './choices.ts';
import type { Connection } from './connection.ts';
import { sendLimit } from './memory.ts';
import type { Tcp } from './tcp.ts';

/** Bytes that the program may write now, as far as limits go. */
export function roomIn(tcp: Tcp, c: Connection): number {
  const room = sendLimit(tcp, c) - c.snd.length;
  return c.choices === null ? room : roomBelowMark(c, room);
}

/** Takes memory for `bytes` more to send; returns for how many there was some. */
export function roomFor(tcp: Tcp, c: Connection, bytes: number): number {
  const { heap, memory } = tcp;
  const before = c.snd.size;
  const isShort = heap.live + bytes > memory.high;
  let room = bytes;
  if (isShort || !c.snd.reserve(heap, c.snd.length + bytes)) room = memory.squeeze(tcp, c, bytes);
  memory.sending += c.snd.size - before;
  return room;
}

export function append(
  heap: Heap,
  c: Connection,
  from: Uint8Array,
  start: number,
  length: number,
): void {
  const offset = c.snd.length;
  const first = c.snd.contiguous(offset);
  if (length <= first) {
    copyIn(heap, c.snd.at(offset), from, start, length);
  } else {
    copyIn(heap, c.snd.at(offset), from, start, first);
    copyIn(heap, c.snd.at(offset + first), from, start + first, length - first);
  }
  c.snd.extend(length);
}
