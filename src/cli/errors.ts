/**
 * Errors of the command line.
 * @module
 */

/** The command was used wrongly; nothing was started. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** The stack could not be opened. The cause says why, and what to do. */
export class StartError extends Error {
  override readonly name: string = 'StartError';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
