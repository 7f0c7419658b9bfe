/**
 * Where the workers of an application run: own-stacks.ts has them in this thread, lcore-stage.ts one
 * for each queue in threads of their own.
 * @module
 */
import type { Device } from '../control/flows.ts';
import type { Reporter } from '../control/reporter.ts';
import type { RunningStack } from '../runtime/open-stack.ts';

export interface Stage {
  /** Those that run in this thread. */
  readonly stacks: readonly RunningStack[];
  /** Opens devices and stacks. Leaves nothing open when it throws. */
  open(): void | Promise<void>;
  /** Opens the listeners of the configuration. */
  listen(): void | Promise<void>;
  /** Starts the workers; resolves when all have returned and no listener of theirs needs them. */
  work(): Promise<void>;
  /** Lets connections end by themselves, as long as `[shutdown] drain` says. */
  finish(): Promise<void>;
  /** Closes what is open. Idempotent. */
  close(): void | Promise<void>;
  reporters(): readonly Reporter[];
  devices(): readonly Device[];
}
