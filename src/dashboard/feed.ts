/**
 * Asks the server five times a second, and not at all while nobody looks.
 * @module
 */
import type { Board } from '../control/board.ts';

export type { Board };
export type FeedState = 'live' | 'paused' | 'lost' | 'waiting';

export interface FeedOptions {
  /** What of the connections is in sight, as parameters. */
  readonly query: () => Readonly<Record<string, string>>;
  readonly onBoard: (board: Board) => void;
  /** `message`: what is wrong; '' for nothing. */
  readonly onState: (state: FeedState, message: string) => void;
  /** The server wants a token. */
  readonly onLogin: () => void;
}

const INTERVAL_MS = 200;
/** Every so many answers have what changes slowly. */
const SLOW_EVERY = 5;
const PATIENCE_MS = 3000;
const TOKEN_KEY = 'dpdk-net-token';

export class Feed {
  readonly #options: FeedOptions;
  #timer = 0;
  #count = 0;
  #isPaused = false;
  #isAsking = false;
  #isLocked = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    document.addEventListener('visibilitychange', () => this.#plan(0));
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  start(): void {
    this.#plan(0);
  }

  pause(paused: boolean): void {
    this.#isPaused = paused;
    if (paused) this.#options.onState('paused', '');
    this.#plan(0);
  }

  /** Something else came in sight: asks now, also when paused. */
  soon(): void {
    if (!this.#isAsking) void this.#ask();
  }

  unlock(token: string): void {
    sessionStorage.setItem(TOKEN_KEY, token);
    this.#isLocked = false;
    this.#plan(0);
  }

  #plan(delay: number): void {
    clearTimeout(this.#timer);
    if (this.#isPaused || document.hidden || this.#isLocked) return;
    this.#timer = setTimeout(() => void this.#ask(), delay);
  }

  async #ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const startedAt = performance.now();
    try {
      await this.#fetch();
    } catch (error) {
      const isAnswer = error instanceof Error && error.name === 'Error';
      this.#options.onState('lost', isAnswer ? error.message : 'the process does not answer');
      // Whatever comes next may be another process.
      this.#count = 0;
    }
    this.#isAsking = false;
    this.#plan(Math.max(20, INTERVAL_MS - (performance.now() - startedAt)));
  }

  async #fetch(): Promise<void> {
    const slow: Record<string, string> = this.#count % SLOW_EVERY === 0 ? { slow: '1' } : {};
    const query = new URLSearchParams({ ...this.#options.query(), ...slow });
    const token = sessionStorage.getItem(TOKEN_KEY);
    const response = await fetch(`api/board?${query}`, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.status === 401) {
      this.#isLocked = true;
      this.#options.onState('waiting', 'locked');
      this.#options.onLogin();
      return;
    }
    const board = (await response.json()) as Board & { readonly error?: string };
    if (!response.ok) throw new Error(board.error);
    this.#count++;
    this.#options.onBoard(board);
    this.#options.onState(this.#isPaused ? 'paused' : 'live', '');
  }
}
