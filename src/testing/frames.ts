/**
 * Frames in and out of a link by hand: what a stack does with its ring, for tests.
 * @module
 */
import {
  DESCRIPTOR_WORDS,
  RX_AT,
  RX_BASE,
  RX_FLAGS,
  RX_HASH,
  RX_LENGTH,
  SLOT_BASE,
  SLOT_COUNT,
  SLOT_TRANSPORT,
  TX_AT,
  TX_BASE,
  TX_COUNT,
  TX_FLAGS,
  TX_HEADERS,
  TX_IPV6,
  TX_LENGTH,
  TX_MSS,
  TX_SEGMENT,
  TX_SLOT,
} from '../link/layout.gen.ts';
import { hasRoom, type Link } from '../link/link.ts';
import { locate, sumsOf } from '../link/locate.ts';

export interface ReceivedFrame {
  readonly bytes: Uint8Array;
  /** RX_* flags. */
  readonly flags: number;
  /** RX_HASH: only when RX_HASH_VALID is among the flags. */
  readonly hash: number;
}

export interface SendOptions {
  /** True, the default: the link is to fill the sums. False: they go as they are. */
  readonly sums?: boolean;
  /** Payload bytes per segment: the link is to cut the TCP segment. */
  readonly mss?: number;
}

/** Puts a frame on the ring; it leaves with the next exchange(). False when there is no room. */
export function sendFrame(link: Link, frame: Uint8Array, options: SendOptions = {}): boolean {
  const { ring, arena } = link;
  if (!hasRoom(ring)) return false;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const layout = locate(view, 0, frame.length);
  const wanted = sumsOf(layout, 0);
  const tcpHeader = layout.protocol === 6 ? (view.getUint8(layout.transportAt + 12) >> 4) << 2 : 8;
  let flags = options.sums === false ? wanted.flags & TX_IPV6 : wanted.flags;
  if (options.mss !== undefined) flags |= TX_SEGMENT;
  ring[SLOT_COUNT]!--;
  const slot = ring[SLOT_BASE + ring[SLOT_COUNT]!]!;
  const at = slot + SLOT_TRANSPORT - (layout.version === 0 ? 34 : layout.transportAt);
  arena.bytes.set(frame, at);
  const to = TX_BASE + ring[TX_COUNT]! * DESCRIPTOR_WORDS;
  ring[to + TX_SLOT] = slot;
  ring[to + TX_AT] = at;
  ring[to + TX_LENGTH] = frame.length;
  ring[to + TX_FLAGS] = flags;
  ring[to + TX_HEADERS] = wanted.headers | (tcpHeader << 16);
  ring[to + TX_MSS] = options.mss ?? 0;
  ring[TX_COUNT]!++;
  return true;
}

/** One exchange(): what was put on the ring leaves, what came in is copied out. */
export function receiveFrames(link: Link): ReceivedFrame[] {
  const count = link.exchange();
  return Array.from({ length: Math.max(count, 0) }, (_, index) => {
    const at = RX_BASE + index * DESCRIPTOR_WORDS;
    const frameAt = link.ring[at + RX_AT]!;
    const bytes = link.arena.bytes.slice(frameAt, frameAt + link.ring[at + RX_LENGTH]!);
    return { bytes, flags: link.ring[at + RX_FLAGS]!, hash: link.ring[at + RX_HASH]! };
  });
}
