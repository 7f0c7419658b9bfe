/**
 * What the main thread and the workers of a program tell each other.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import type { ConfigSource } from '../config/config.ts';
import type { CloseReport } from './open-stack.ts';
import type { QueueTicket } from './queues.ts';

/** A worker's workerData. */
export interface WorkerTask {
  /** Null: a spare, whose ticket comes when a queue needs it. */
  readonly ticket: QueueTicket | null;
  /** For the spare to be as ready as it can. */
  readonly config: ConfigSource;
  /** For the messages below. */
  readonly port: MessagePort;
  /** The full path of the program, and its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  /** What the process's stdout and stderr are. */
  readonly terminals: Terminals;
}

export interface Terminals {
  readonly stdout: TerminalSize | null;
  readonly stderr: TerminalSize | null;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export type ToWorker =
  /** To a spare: serve this queue. */
  | { readonly type: 'serve'; readonly ticket: QueueTicket }
  | { readonly type: 'signal'; readonly name: NodeJS.Signals; readonly number: number }
  /** The configuration was read again. */
  | { readonly type: 'reload'; readonly source: ConfigSource }
  /** End with that exit code, connections within `deadlineMs`. */
  | { readonly type: 'end'; readonly code: number; readonly deadlineMs: number };

export type FromWorker =
  /** Its stack runs, and the program is about to. */
  | { readonly type: 'up' }
  /** The program called process.exit(). */
  | { readonly type: 'exit'; readonly code: number }
  /** The program reads stdin. */
  | { readonly type: 'stdin' }
  /** The program listens for a signal. */
  | { readonly type: 'listens'; readonly name: NodeJS.Signals }
  /** The program was told to end by a signal, and its connections have finished. */
  | { readonly type: 'finished' }
  /** How its connections ended. */
  | { readonly type: 'closed'; readonly report: CloseReport };
