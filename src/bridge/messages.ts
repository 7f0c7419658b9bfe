/**
 * What a thread and a worker post each other: what is rare. Anything else only wakes.
 * @module
 */
import type { EndWords } from './records.ts';

export type ToWorker =
  /** First of all: the channel's memory. */
  | { readonly type: 'attach'; readonly memory: SharedArrayBuffer }
  | ({ readonly type: 'connect'; readonly id: number } & ConnectMessage)
  | ({ readonly type: 'listen'; readonly id: number } & ListenMessage)
  | ({ readonly type: 'bind'; readonly id: number } & BindMessage)
  /** How many slots are in use? */
  | { readonly type: 'count'; readonly id: number }
  | { readonly type: 'wake' };

export interface ConnectMessage {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string | null;
  readonly localPort: number;
}

export interface ListenMessage {
  /** Null: all. */
  readonly address: string | null;
  readonly port: number;
  readonly backlog: number;
  /** The pipe of what was accepted. */
  readonly memory: SharedArrayBuffer;
  readonly pipeBytes: number;
}

export interface BindMessage {
  readonly address: string | null;
  readonly port: number;
  /** The pipes to the thread, and to the worker. */
  readonly memory: readonly [SharedArrayBuffer, SharedArrayBuffer];
}

export type ToThread =
  | { readonly type: 'opened'; readonly id: number; readonly slot: number; readonly ends: EndWords }
  | { readonly type: 'failed'; readonly id: number; readonly code: string; readonly text: string }
  | { readonly type: 'counted'; readonly id: number; readonly slots: number }
  | { readonly type: 'wake' };

/** One object for all: nothing is made to wake somebody. */
export const WAKE: { readonly type: 'wake' } = { type: 'wake' };
