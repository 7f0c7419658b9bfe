/**
 * The end of a program on the stack, whatever brings it: a signal, process.exit(), an exception, or
 * nothing left to do. The peers are told from the process's `exit` event (docs/decisions/0007).
 * @module
 */
import { isatty } from 'node:tty';

const STDIN = 0;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Signal = (typeof SIGNALS)[number];

/** Calls `end` once, synchronously, when the process ends. Before anything else that waits for that. */
export function atExit(end: () => void): void {
  process.prependOnceListener('exit', end);
}

/**
 * Makes signals end the process in order (exit code 0) - as long as the program does not listen
 * for them itself: then it decides, as under Node. First what `finish` does is waited for, unless
 * there comes another signal. `onHangUp` is what SIGHUP does instead, but for a terminal's.
 *
 * Our listener is there only while there is no other, because programs and libraries count the
 * listeners of a signal to find out whether they are the ones to act.
 */
export function exitOnSignals(
  finish: () => Promise<unknown> = async () => {},
  onHangUp: (() => void) | null = null,
): void {
  let isFinishing = false;
  const exit = (signal: Signal): void => {
    if (signal === 'SIGHUP' && onHangUp !== null && !isatty(STDIN)) return onHangUp();
    if (isFinishing) process.exit(0);
    isFinishing = true;
    void finish().finally(() => process.exit(0));
  };
  const isSignal = (event: string | symbol): event is Signal => SIGNALS.includes(event as Signal);
  process.on('newListener', (event, listener) => {
    if (!isSignal(event) || listener === exit) return;
    // Once the other is there: Node stops listening to a signal that has no listener left.
    queueMicrotask(() => {
      if (process.listenerCount(event) > 1) process.removeListener(event, exit);
    });
  });
  process.on('removeListener', (event, listener) => {
    if (!isSignal(event) || listener === exit) return;
    if (process.listenerCount(event) === 0) process.on(event, exit);
  });
  for (const signal of SIGNALS) {
    if (process.listenerCount(signal) === 0) process.on(signal, exit);
  }
}
