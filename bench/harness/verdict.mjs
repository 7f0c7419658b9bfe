/**
 * Limits that a benchmark must keep: a line for each, and whether all were kept.
 * @module
 */

/** @param checks [what is asked for, whether it holds]; each is told. True when all hold. */
export function verdict(checks, tell) {
  for (const [what, holds] of checks) tell(`${holds ? 'passed' : 'FAILED'}: ${what}`);
  return checks.every(([, holds]) => holds);
}
