/**
 * Questions to the stacks of a process, wherever they run: a stack of this thread answers at
 * once, one of a worker through a message port.
 *
 * The process asks all of its reporters; each answers for one stack.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { MessagePort, Worker } from 'node:worker_threads';
import { CaptureReader, startCapture } from './capture.ts';
import type { PageRequest } from './connection-page.ts';
import type { ConnectionFilter } from './connections.ts';
import type { StackReporter, StatsReport, StatsRequest } from './report.ts';
import type { Emit, End } from './server.ts';
import { readSheet, type Sheet } from './sheet.ts';
import { startTrace } from './trace.ts';

export type Question = 'queue' | 'connections' | 'page' | 'neighbors' | 'stats' | 'listeners';

/** What can be listened to until it is ended. */
export type Listening = 'capture' | 'trace';

export interface Reporter {
  /** Rejects with what is wrong with the question, or when the worker has ended. */
  ask(question: Question, params: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** `emit` takes each event, and returns false when it is lost. Throws when it is refused. */
  listen(what: Listening, params: Readonly<Record<string, unknown>>, emit: Emit): End;
}

/** A stack of this thread. */
export function localReporter(reporter: StackReporter): Reporter {
  return {
    ask: async (question, params) => answer(reporter, question, params),
    listen: (what, params, emit) =>
      heard(what, emit, (tell, memory) => listenTo(reporter, params, tell, memory)),
  };
}

/** Listening from the side of who asks: frames come through a ring, everything else by `tell`. */
function heard(
  what: Listening,
  emit: Emit,
  start: (tell: Emit, memory: SharedArrayBuffer | null) => End,
): End {
  if (what !== 'capture') return start(emit, null);
  const reader = new CaptureReader(emit);
  const end = start((event) => reader.begin(event), reader.ring.memory);
  return () => {
    end();
    reader.end();
  };
}

function answer(
  reporter: StackReporter,
  question: Question,
  params: Readonly<Record<string, unknown>>,
): unknown {
  if (question === 'connections') return reporter.connections(params as ConnectionFilter);
  if (question === 'page') return reporter.page(params as PageRequest);
  if (question === 'stats') return reporter.stats(params as StatsRequest);
  return reporter[question]();
}

function listenTo(
  { running, place }: StackReporter,
  params: Readonly<Record<string, unknown>>,
  emit: Emit,
  memory: SharedArrayBuffer | null,
): End {
  return memory !== null
    ? startCapture(running.stack, place, params, memory, emit)
    : startTrace(running.stack, place, params, emit);
}

interface Asked {
  readonly dpdkNetAsk: number;
  readonly question: Question;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Begins (`what` given) or ends listening. */
interface Listened {
  readonly dpdkNetListen: number;
  readonly what?: Listening;
  readonly params?: Readonly<Record<string, unknown>>;
  /** Where the frames of a capture go; null for a trace. */
  readonly memory?: SharedArrayBuffer | null;
}

interface Heard {
  readonly dpdkNetEvent: number;
  readonly event: unknown;
}

interface Answered {
  readonly dpdkNetAnswer: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Once, when a worker begins to answer. */
interface Shown {
  readonly dpdkNetSheet: Sheet;
}

/** A worker that has not said by then what its stack counts is not waited for. */
const PATIENCE_MS = 500;

/** The stack of a worker, whose thread has called answerOver() with the other end. */
export function remoteReporter(port: MessagePort | Worker, patienceMs = PATIENCE_MS): Reporter {
  const waiting = new Map<number, (answered: Answered) => void>();
  let sheet: Sheet | null = null;
  let known: StatsReport | null = null;
  let nextId = 1;
  const listeners = new Map<number, Emit>();
  port.on('message', (message: Partial<Answered & Heard & Shown> | null) => {
    sheet = message?.dpdkNetSheet ?? sheet;
    if (message?.dpdkNetEvent !== undefined) listeners.get(message.dpdkNetEvent)?.(message.event);
    const id = message?.dpdkNetAnswer;
    if (id === undefined) return;
    waiting.get(id)?.(message as Answered);
    waiting.delete(id);
  });
  const ended = (): void => {
    for (const [id, tell] of waiting) tell({ dpdkNetAnswer: id, error: 'the worker has ended' });
    waiting.clear();
  };
  (port as MessagePort).on('close', ended);
  (port as Worker).on('exit', ended);
  const ask: Reporter['ask'] = (question, params) =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      waiting.set(id, ({ result, error }) =>
        error === undefined ? resolve(result) : reject(new Error(error)),
      );
      const asked: Asked = { dpdkNetAsk: id, question, params };
      port.postMessage(asked);
    });
  const stats = async (params: Readonly<Record<string, unknown>>): Promise<StatsReport> => {
    const answered = ask('stats', params) as Promise<StatsReport>;
    if (known === null || sheet === null) known = await answered;
    else
      known = (await within(answered, patienceMs)) ?? {
        ...known,
        ...readSheet(sheet),
        isLate: true,
      };
    return known;
  };
  return {
    ask: (question, params) => (question === 'stats' ? stats(params) : ask(question, params)),
    listen: (what, params, emit) =>
      heard(what, emit, (tell, memory) => {
        const id = nextId++;
        listeners.set(id, tell);
        port.postMessage({ dpdkNetListen: id, what, params, memory } satisfies Listened);
        return () => {
          listeners.delete(id);
          port.postMessage({ dpdkNetListen: id } satisfies Listened);
        };
      }),
  };
}

/** Null when it takes longer; what comes then is not missed. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  const tooLate = new AbortController();
  const timeout = delay(ms, null, { ref: false, signal: tooLate.signal }).catch(() => null);
  promise.catch(() => {});
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    tooLate.abort();
  }
}

/** In a worker: answers for its stack what comes through `port`. Holds nothing alive. */
export function answerOver(port: MessagePort, reporter: StackReporter): void {
  const ends = new Map<number, End>();
  port.on('message', (message: Partial<Asked & Listened> | null) => {
    if (message?.dpdkNetListen !== undefined) listenOver(port, reporter, message as Listened, ends);
    const id = message?.dpdkNetAsk;
    if (id === undefined) return;
    const { question, params } = message as Asked;
    let answered: Answered;
    try {
      answered = { dpdkNetAnswer: id, result: answer(reporter, question, params) };
    } catch (error) {
      answered = { dpdkNetAnswer: id, error: (error as Error).message };
    }
    port.postMessage(answered);
  });
  port.postMessage({ dpdkNetSheet: reporter.sheet } satisfies Shown);
  port.unref();
}

/** A filter that is wrong has been refused before it came here (process.ts). */
function listenOver(
  port: MessagePort,
  reporter: StackReporter,
  { dpdkNetListen: id, what, params = {}, memory = null }: Listened,
  ends: Map<number, End>,
): void {
  ends.get(id)?.();
  ends.delete(id);
  if (what === undefined) return;
  const emit: Emit = (event) => {
    port.postMessage({ dpdkNetEvent: id, event } satisfies Heard);
    return true;
  };
  ends.set(id, listenTo(reporter, params, emit, memory));
}
