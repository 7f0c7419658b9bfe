/**
 * Makes a worker look to its program like the process it would have had to itself: signals arrive,
 * exit ends the whole program, stdin can be read, and isMainThread is true.
 *
 * What Node refuses in workers stays refused: process.chdir(), setuid(), title.
 * @module
 */
import { syncBuiltinESMExports } from 'node:module';
import { constants } from 'node:os';
import tty from 'node:tty';
import threads, { type MessagePort } from 'node:worker_threads';
import type { FromWorker, TerminalSize, Terminals, ToWorker } from './messages.ts';

type Exit = (code?: number | string | null) => never;

/** How the worker ends. */
export interface Ending {
  /** For whoever listens to 'exit'. */
  deadlineMs: number;
  /** What a signal that the program does not listen for has to wait for; null: nothing. */
  finish: (() => Promise<unknown>) | null;
}

/** Call it before the program is loaded. The result says how long the end may take. */
export function asMainThread(port: MessagePort, terminals: Terminals): Ending {
  const ending: Ending = { deadlineMs: 2000, finish: null };
  const post = (message: FromWorker): void => port.postMessage(message);
  hideThread();
  const exit = forwardExit(post);
  forwardStdin(post);
  describeTerminal(process.stdout, terminals.stdout);
  describeTerminal(process.stderr, terminals.stderr);
  process.on('newListener', (event) => {
    if (isSignal(event)) post({ type: 'listens', name: event });
  });
  port.on('message', (message: ToWorker) => {
    if (message.type === 'signal') receiveSignal(message, ending, post);
    else if (message.type === 'end') {
      ending.deadlineMs = message.deadlineMs;
      exit(message.code);
    }
  });
  port.unref();
  return ending;
}

function isSignal(event: string | symbol): event is NodeJS.Signals {
  return typeof event === 'string' && event in constants.signals;
}

/**
 * As Node delivers it; a program without a listener ends in order, as in the main thread: when it
 * has finished, and the others have.
 */
function receiveSignal(
  { name, number }: Extract<ToWorker, { type: 'signal' }>,
  ending: Ending,
  post: (message: FromWorker) => void,
): void {
  if (process.listenerCount(name) === 0) {
    const { finish } = ending;
    ending.finish = null;
    if (finish === null) process.exit(0);
    void finish().finally(() => post({ type: 'finished' }));
    return;
  }
  (process.emit as (name: string, ...args: unknown[]) => boolean)(name, name, number);
}

/** Tells the main thread before the worker ends: its end takes a while. Returns Node's own. */
function forwardExit(post: (message: FromWorker) => void): Exit {
  const exit = process.exit.bind(process) as Exit;
  // After an uncaught error Node calls it itself, when 'exit' has been emitted.
  let isExiting = false;
  process.prependOnceListener('exit', () => {
    isExiting = true;
  });
  process.exit = ((code) => {
    const chosen = Number(code ?? process.exitCode ?? 0);
    if (!isExiting) post({ type: 'exit', code: chosen });
    return exit(code);
  }) as Exit;
  return exit;
}

/** The main thread reads stdin only once a program wants it. */
function forwardStdin(post: (message: FromWorker) => void): void {
  const { stdin } = process;
  let isAsked = false;
  Object.defineProperty(process, 'stdin', {
    configurable: true,
    enumerable: true,
    get: () => {
      if (!isAsked) post({ type: 'stdin' });
      isAsked = true;
      return stdin;
    },
  });
}

/** Colours and widths depend on it. */
function describeTerminal(stream: object, size: TerminalSize | null): void {
  if (size === null) return;
  const { hasColors, getColorDepth } = tty.WriteStream.prototype;
  Object.assign(stream, { isTTY: true, ...size, hasColors, getColorDepth });
}

/** Programs that are their own workers' code decide by these which of the two they are. */
function hideThread(): void {
  const module = threads as unknown as Record<string, unknown>;
  module['isMainThread'] = true;
  module['parentPort'] = null;
  module['workerData'] = null;
  syncBuiltinESMExports();
}
