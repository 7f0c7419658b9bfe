/**
 * For tests: frames whose sums only the port can have filled in, and waiting for an answer.
 * @module
 */
import type { Link } from '../link/link.ts';
import { locate } from '../link/locate.ts';
import { type ReceivedFrame, receiveFrames, sendFrame } from '../testing/frames.ts';

/** What a stack leaves in a checksum field that the port fills. */
const ANYTHING = 0xdead;

/** Sends a frame without its sums, which the port is to fill in; false when there is no room. */
export function sendUnsummed(link: Link, frame: Uint8Array, mss?: number): boolean {
  const bytes = frame.slice();
  const view = new DataView(bytes.buffer);
  const { version, networkAt, transportAt, protocol } = locate(view, 0, bytes.length);
  if (version === 4) view.setUint16(networkAt + 10, ANYTHING);
  if (protocol === 6) view.setUint16(transportAt + 16, ANYTHING);
  if (protocol === 17) view.setUint16(transportAt + 6, ANYTHING);
  return sendFrame(link, bytes, mss === undefined ? {} : { mss });
}

/** Exchanges until `wanted` says true of a frame, which is returned; null after `timeoutMs`. */
export async function receiveOne(
  link: Link,
  wanted: (frame: ReceivedFrame) => boolean,
  timeoutMs = 3000,
): Promise<ReceivedFrame | null> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const found = receiveFrames(link).find(wanted);
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return null;
}
