/**
 * One line of text per frame, for reading along in a terminal or a failed test.
 *
 *     pair a > 10.0.0.1.80 > 10.0.0.2.4000 SYN seq 1 win 65535 mss 1460
 * @module
 */
import { frameText } from './frame-text.ts';
import type { Link } from './link.ts';
import { TapLink } from './tap.ts';

export interface TraceOptions {
  /** Gets each line, without a line end. */
  readonly write: (line: string) => void;
  /** Name at the front; the link's when not given. */
  readonly name?: string;
  /** Microseconds; when given each line begins with seconds. */
  readonly now?: () => number;
}

/** Wraps `link`; `>` is a frame the stack sent, `<` one it received. */
export function traceLink(link: Link, options: TraceOptions): Link {
  const { write, now, name = link.name } = options;
  return new TapLink(link, (direction, at, length) => {
    const time = now === undefined ? '' : `${(now() / 1e6).toFixed(6)} `;
    const arrow = direction === 'out' ? '>' : '<';
    write(`${time}${name} ${arrow} ${frameText(link.arena.view, at, length)}`);
  });
}
