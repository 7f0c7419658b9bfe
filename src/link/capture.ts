/**
 * Writes every frame of a link, both directions, to a pcapng file for Wireshark.
 *
 * Frames are written as the stack and the link exchange them: a large segment that the link
 * would cut, or has joined, is one frame. Checksums are right, whoever fills them in later.
 * @module
 */
import type { Link } from './link.ts';
import { PcapngWriter, type Sink } from './pcapng.ts';
import { sealing, TapLink } from './tap.ts';

export interface CaptureOptions {
  /** Where the file's bytes go, or a writer that several links share. */
  readonly to: Sink | PcapngWriter;
  /** Microseconds since 1970 (any origin will do). */
  readonly now: () => number;
  /** The interface's name in the file; the link's when not given. */
  readonly name?: string;
}

/** Wraps `link`; what passes from now on is written. */
export function captureLink(link: Link, options: CaptureOptions): Link {
  const { to, now, name = link.name } = options;
  const writer = to instanceof PcapngWriter ? to : new PcapngWriter(to);
  const index = writer.addInterface(name, link.mac);
  const observer = sealing(link.arena, (direction, at, length) => {
    writer.frame(index, now(), direction, link.arena.bytes.slice(at, at + length));
  });
  return new TapLink(link, observer);
}
