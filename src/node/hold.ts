/**
 * One reason to keep the process alive, which there is or is not.
 * @module
 */
import type { PollLoop } from '../runtime/poll-loop.ts';

export class Hold {
  readonly #loop: PollLoop;
  #isHeld = false;

  constructor(loop: PollLoop) {
    this.#loop = loop;
  }

  set(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#loop.hold();
    else this.#loop.release();
  }
}
