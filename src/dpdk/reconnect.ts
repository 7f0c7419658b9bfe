/**
 * When a memif client is started again: it connects when it is started, and does not come back by
 * itself when its server was not there yet, or has gone.
 * @module
 */

/** How often to ask isDue(). */
export const RECONNECT_MS = 20;
/** How long a server may take to answer: at first, and after it was too slow several times. */
const PATIENCE_MS = 300;
const LONGEST_PATIENCE_MS = 10_000;

export class Reconnect {
  #isStarted = false;
  #startedAt = 0;
  #wasUp = false;
  #patienceMs = PATIENCE_MS;

  /** True when the client has to be started now, after a stop if it is started. */
  isDue(now: number, isUp: boolean): boolean {
    const wasUp = this.#wasUp;
    this.#wasUp = isUp;
    if (isUp) {
      this.#patienceMs = PATIENCE_MS;
      return false;
    }
    if (!this.#isStarted || wasUp) return true;
    if (now - this.#startedAt < this.#patienceMs) return false;
    // On a busy machine a server can always be slower than what it was given so far.
    this.#patienceMs = Math.min(2 * this.#patienceMs, LONGEST_PATIENCE_MS);
    return true;
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  started(now: number): void {
    this.#isStarted = true;
    this.#startedAt = now;
  }

  stopped(): void {
    this.#isStarted = false;
  }
}
