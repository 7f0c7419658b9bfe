/**
 * The language of the control socket, version 2: one JSON object per line, and where it says so
 * bytes behind it.
 *
 *     server   { "dpdkNet": "0.1.0", "protocol": 2, "pid": 4711 }         at once
 *     client   { "id": 1, "method": "connections", "params": { "port": 80 } }
 *     server   { "id": 1, "result": [ ... ] }   or   { "id": 1, "error": "..." }
 *     server   { "id": 2, "event": ... }        any number, for a method that goes on
 *     server   { "id": 2, "event": ..., "bytes": 640 }   and 640 bytes behind the line
 *     client   { "id": 2, "method": "cancel" }  or it hangs up
 * @module
 */

export const PROTOCOL = 2;

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
  /** So many follow the line. */
  readonly bytes?: number;
}

/** The longest line that is taken from a client, so that none can fill the memory. */
const LONGEST = 65_536;

/** An answer may be long: ten thousand connections. */
const LONGEST_ANSWER = 512 << 20;
const NEW_LINE = 0x0a;

/** Cuts a stream of text into lines. */
export class LineReader {
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Throws an Error when a line is too long. */
  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) if (line !== '') this.#onLine(line);
    if (this.#rest.length > LONGEST) throw new Error('the line is too long');
  }
}

/** Cuts what a server sends into lines and the bytes behind them. */
export class AnswerReader {
  readonly #onLine: (line: string) => number;
  readonly #onBytes: (bytes: Uint8Array) => void;
  #pieces: Uint8Array[] = [];
  #length = 0;
  /** Bytes that are awaited; 0: a line. */
  #wanted = 0;

  /** `onLine` returns how many bytes follow the line. */
  constructor(onLine: (line: string) => number, onBytes: (bytes: Uint8Array) => void) {
    this.#onLine = onLine;
    this.#onBytes = onBytes;
  }

  /** Throws an Error when a line is too long. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const line = chunk.indexOf(NEW_LINE, at);
      const lineEnd = line === -1 ? chunk.length : line + 1;
      const end =
        this.#wanted === 0 ? lineEnd : Math.min(chunk.length, at + this.#wanted - this.#length);
      this.#pieces.push(chunk.subarray(at, end));
      this.#length += end - at;
      at = end;
      if (this.#wanted > 0) this.#bytes();
      else if (line !== -1) this.#line();
      else if (this.#length > LONGEST_ANSWER) throw new Error('the answer is too long');
    }
  }

  #bytes(): void {
    if (this.#length < this.#wanted) return;
    this.#wanted = 0;
    this.#onBytes(this.#joined());
  }

  #line(): void {
    const line = Buffer.from(this.#joined()).toString().trimEnd();
    if (line !== '') this.#wanted = this.#onLine(line);
  }

  #joined(): Uint8Array {
    const joined = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    return joined;
  }
}
