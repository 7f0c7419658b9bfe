/**
 * A clock that moves only when told.
 * @module
 */

export class VirtualClock {
  #us: number;

  /** Starts at `startUs` microseconds; not 0, so that code which takes 0 for "never" shows itself. */
  constructor(startUs = 1_000_000) {
    this.#us = startUs;
  }

  /** Microseconds; a function value, so that it can be handed on. */
  readonly now = (): number => this.#us;

  advance(us: number): void {
    this.#us += us;
  }

  /** Moves forward to `us`; never back. */
  advanceTo(us: number): void {
    this.#us = Math.max(this.#us, us);
  }
}
