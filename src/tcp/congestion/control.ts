/**
 * What rules how a connection sends. Those that need nothing of their own, nearly all, share the
 * record of their algorithm; one that is paced, or marks its packets (ECN), has one to itself.
 * @module
 */
import type { Connection } from '../connection.ts';
import type { Ecn } from '../ecn.ts';
import type { CongestionControl } from './congestion.ts';
import type { Pacer } from './pacer.ts';

export class Control {
  algorithm: CongestionControl;
  pacer: Pacer | null = null;
  ecn: Ecn | null = null;

  constructor(algorithm: CongestionControl) {
    this.algorithm = algorithm;
  }

  /** True for the record of an algorithm, which nobody writes to. */
  get isShared(): boolean {
    return this.algorithm.shared === this;
  }
}

const controls: Control[] = [];

/** The record of `c`, which becomes its own. */
export function ownControl(c: Connection): Control {
  if (!c.control.isShared) return c.control;
  const control = controls.pop() ?? new Control(c.congestion);
  control.algorithm = c.congestion;
  c.control = control;
  return control;
}

/** A record with nothing in it any more goes back. */
export function settleControl(c: Connection): void {
  const control = c.control;
  if (control.isShared || control.pacer !== null || control.ecn !== null) return;
  c.control = control.algorithm.shared;
  controls.push(control);
}
