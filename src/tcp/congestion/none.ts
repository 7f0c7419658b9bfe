/**
 * No congestion control: a fixed window that only the peer's bounds.   hot path
 *
 * For wires that are the program's own, and for tests that look at something else. While a loss
 * is being repaired as much leaves as arrives (recovery.ts); afterwards the window is what it was.
 * @module
 */
import type { Connection } from '../connection.ts';
import { type CongestionControl, MOST_WINDOW } from './congestion.ts';
import { Control } from './control.ts';
import { type Kept, keepWindow, restoreWindow } from './kept.ts';

class None implements CongestionControl {
  readonly name = 'none';
  readonly shared: Control = new Control(this);
  readonly hasModel = 0;

  start(c: Connection): void {
    c.cwnd = MOST_WINDOW;
    c.ssthresh = MOST_WINDOW;
  }

  acknowledged(c: Connection): void {
    c.cwnd = MOST_WINDOW;
  }

  lost(c: Connection): void {
    c.ssthresh = MOST_WINDOW;
  }

  timedOut(c: Connection): void {
    c.ssthresh = MOST_WINDOW;
  }

  congested(_c: Connection): void {}

  keep(c: Connection, kept: Kept): void {
    keepWindow(c, kept);
  }

  restore(c: Connection, kept: Kept): void {
    restoreWindow(c, kept);
  }

  idled(_c: Connection): void {}
}

export const none: CongestionControl = new None();
