/**
 * The end of a stack: every connection is told, then nothing is left.
 *
 * Synchronous, so that it can run when the process is already exiting (docs/decisions/0007): a
 * stack is polled without any event loop.
 * @module
 */
import type { Stack } from '../stack/stack.ts';
import { abort, close } from '../tcp/close.ts';
import type { Connection } from '../tcp/connection.ts';
import { CLOSED, FIN_WAIT_2, TIME_WAIT } from '../tcp/state.ts';
import { nowMicros } from './now.ts';

export interface DrainReport {
  /** Connections that were open when it began. */
  readonly open: number;
  /** Of these, how many had to be reset. */
  readonly reset: number;
  /** Milliseconds it took. */
  readonly ms: number;
  /** What is left at the end: all zero, or something leaks. */
  readonly left: { connections: number; timers: number; heapBytes: number };
}

/** Milliseconds from one look at the connections that are left to the next. */
const LOOK_MS = 20;
/** Connections reset between two polls: a ring takes that many segments. */
const RESET_BURST = 32;
/** Peers that have our FIN and do not answer with theirs are given this long, in ms. */
const PATIENCE_MS = 250;

/**
 * From now on new connections are refused, and those to our listeners may end by themselves: resolves
 * when they have, or `deadlineMs` are over, to how many are left. Somebody has to poll the stack.
 * With no time at all nothing is done.
 */
export async function finish(stack: Stack, deadlineMs: number): Promise<number> {
  if (deadlineMs === 0) return 0;
  stack.tcp.listeners.isRefusing = true;
  const deadline = nowMicros() + deadlineMs * 1000;
  for (;;) {
    const left = connectionsOf(stack).filter((c) => isServed(stack, c)).length;
    if (left === 0 || stack.linkGone === 1 || nowMicros() >= deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** A connection to a listener of ours that is not over yet. */
function isServed(stack: Stack, c: Connection): boolean {
  const isOver = c.state === TIME_WAIT || c.state === CLOSED;
  return !isOver && stack.tcp.listeners.isOn(c.localPort);
}

/**
 * Ends every connection: FIN after what was written; RST for those that are not through when
 * `deadlineMs` is over. Then closes the stack with its links. Nothing may use the stack afterwards.
 * After finish() those to our listeners have had their time and are reset at once.
 */
export function drain(stack: Stack, deadlineMs = 2000): DrainReport {
  const start = nowMicros();
  const open = connectionsOf(stack).filter((c) => c.state !== TIME_WAIT && c.orphan === 0).length;
  const overdue = stack.tcp.listeners.isRefusing ? resetAll(stack, (c) => isServed(stack, c)) : 0;
  const deadline = start + deadlineMs * 1000;
  let lastProgress = start;
  stack.poll(start);
  for (let now = start; now < deadline; now = nowMicros()) {
    closeAll(stack);
    const moved = stack.poll(now);
    if (moved > 0) lastProgress = now;
    const waiting = connectionsOf(stack).filter((c) => c.state !== TIME_WAIT);
    if (waiting.length === 0 || stack.linkGone === 1) break;
    const told = waiting.every((c) => c.state === FIN_WAIT_2);
    if (told && now - lastProgress > PATIENCE_MS * 1000) break;
    if (moved === 0) pause();
  }
  const reset = overdue + resetAll(stack);
  stack.close();
  const { connections, timers, heapBytes } = stack.counts();
  return {
    open,
    reset,
    ms: (nowMicros() - start) / 1000,
    left: { connections, timers, heapBytes },
  };
}

/**
 * The program crashed: every connection is reset at once. The stack is not closed, so that its link
 * can be given to a new one.
 */
export function abandon(stack: Stack): void {
  resetAll(stack);
}

/** Records in use, also those that are closed and only hold unread input. */
function connectionsOf(stack: Stack): Connection[] {
  return stack.tcp.connections.filter((c) => c.path !== null);
}

/** Lets go of every connection that a program still holds, and of new ones that arrive meanwhile. */
function closeAll(stack: Stack): void {
  for (const c of connectionsOf(stack)) if (c.orphan === 0) close(stack.tcp, c);
}

/** Resets those that are meant; polls in between, so that each reset finds room on its link. */
function resetAll(stack: Stack, isMeant: (c: Connection) => boolean = () => true): number {
  let count = 0;
  for (const c of connectionsOf(stack)) {
    if (c.path === null || !isMeant(c)) continue; // Ended by a poll below, or not now.
    if (c.state !== TIME_WAIT && c.state !== CLOSED) count++;
    abort(stack.tcp, c, 'ECONNABORTED');
    if (count % RESET_BURST === RESET_BURST - 1) stack.poll(nowMicros());
  }
  stack.poll(nowMicros());
  return count;
}

const never = new Int32Array(new SharedArrayBuffer(4));

/** Half a millisecond in which others may run. */
function pause(): void {
  Atomics.wait(never, 0, 0, 0.5);
}
