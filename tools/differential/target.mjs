/**
 * What both targets have in common.
 * @module
 */

/** The peer's port of the first sequence; the others follow. */
export const FIRST_PORT = 10_000;

/** How a target is met: over which IP version, and whether it listens or connects. */
export const WAYS = [
  { version: 4, role: 'listener' },
  { version: 4, role: 'connector' },
  { version: 6, role: 'listener' },
  { version: 6, role: 'connector' },
];
/** Between two steps, real: above the time an ACK may be late. */
export const KERNEL_STEP_MS = 60;
/** And virtual: above the half second in which we answer the odd once. */
export const OUR_STEP_MS = 600;
