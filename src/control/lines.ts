/**
 * The language of the control socket, version 1: one JSON object per line.
 *
 *     server   { "dpdkNet": "0.1.0", "protocol": 1, "pid": 4711 }         at once
 *     client   { "id": 1, "method": "connections", "params": { "port": 80 } }
 *     server   { "id": 1, "result": [ ... ] }   or   { "id": 1, "error": "..." }
 *     server   { "id": 2, "event": ... }        any number, for a method that goes on
 *     client   { "id": 2, "method": "cancel" }  or it hangs up
 * @module
 */

export const PROTOCOL = 1;

export interface Hello {
  readonly dpdkNet: string;
  readonly protocol: number;
  readonly pid: number;
  /** What runs: the program, or 'start'. */
  readonly title: string;
}

export interface Request {
  readonly id: number;
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
  readonly event?: unknown;
}

/** The longest line that is taken from a client, so that none can fill the memory. */
const LONGEST = 65_536;

/** Cuts a stream of text into lines. */
export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #longest: number;
  #rest = '';

  constructor(onLine: (line: string) => void, longest: number = LONGEST) {
    this.#onLine = onLine;
    this.#longest = longest;
  }

  /** Throws an Error when a line is too long. */
  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) if (line !== '') this.#onLine(line);
    if (this.#rest.length > this.#longest) throw new Error('the line is too long');
  }
}
