/**
 * What an lcore and the thread that opened it tell each other, and how errors travel.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import type { CloseReport } from '../runtime/open-stack.ts';
import type { QueueTicket } from '../runtime/queues.ts';

/** An lcore's workerData. */
export interface LcoreTask {
  /** Its place on the roster. */
  readonly place: number;
  /** Null: it serves no queue. */
  readonly ticket: QueueTicket | null;
  /** The processor to stay on, -1: any. */
  readonly cpu: number;
  /** EAL runs, and is to know of it. */
  readonly register: boolean;
  readonly port: MessagePort;
}

export type ToLcore =
  | {
      readonly type: 'launch';
      readonly id: number;
      readonly module: string;
      readonly name: string;
      readonly argument: unknown;
    }
  | { readonly type: 'abort'; readonly id: number; readonly reason: unknown }
  /** A thread wants the sockets of its queue; the port is the bridge's. */
  | { readonly type: 'bridge'; readonly port: MessagePort }
  | { readonly type: 'end'; readonly deadlineMs: number | undefined };

export type FromLcore =
  | { readonly type: 'up' }
  | { readonly type: 'returned'; readonly id: number; readonly value: unknown }
  | { readonly type: 'threw'; readonly id: number; readonly error: PostedError }
  /** How its connections ended; null: it had no stack. */
  | { readonly type: 'closed'; readonly report: CloseReport | null };

/** An error as it is posted: a clone would lose its class's name, its code, and what is no Error. */
export interface PostedError {
  readonly isError: boolean;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code: string;
}

export function postedOf(error: unknown): PostedError {
  if (!(error instanceof Error)) {
    return { isError: false, name: '', message: String(error), stack: '', code: '' };
  }
  const { name, message, stack = '' } = error;
  const { code = '' } = error as { code?: unknown };
  return { isError: true, name, message, stack, code: String(code) };
}

/** The error that was thrown there; what was no Error is the text of one. */
export function errorFrom({ isError, name, message, stack, code }: PostedError): Error {
  const error = new Error(message);
  if (!isError) return error;
  const own = (value: string): PropertyDescriptor => ({
    value,
    configurable: true,
    writable: true,
  });
  Object.defineProperty(error, 'name', own(name));
  Object.defineProperty(error, 'stack', own(stack));
  if (code !== '') Object.defineProperty(error, 'code', { ...own(code), enumerable: true });
  return error;
}
