/**
 * How long a worker that crashed waits for its next start: one that crashes as soon as it is
 * started, again and again, would keep the machine busy with nothing else.
 * @module
 */

/** Who lives shorter has crashed at its start. */
const SHORT_LIFE_MS = 1000;
const LONGEST_WAIT_MS = 10_000;

export class RestartDelay {
  /** Crashes in a row, each soon after the start. */
  #failures = 0;

  /** Milliseconds to wait, when it has lived that long. */
  next(livedMs: number): number {
    this.#failures = livedMs < SHORT_LIFE_MS ? this.#failures + 1 : 0;
    return this.#failures === 0 ? 0 : Math.min(50 * 2 ** this.#failures, LONGEST_WAIT_MS);
  }
}
