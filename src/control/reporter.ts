/**
 * Questions to the stacks of a process, wherever they run: a stack of this thread answers at
 * once, one of a worker through a message port.
 *
 * The process asks all of its reporters; each answers for one stack.
 * @module
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import type { ConnectionFilter } from './connections.ts';
import type { StackReporter } from './report.ts';

export type Question = 'queue' | 'connections' | 'neighbors' | 'stats' | 'listeners';

export interface Reporter {
  /** Rejects with what is wrong with the question, or when the worker has ended. */
  ask(question: Question, params: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** A stack of this thread. */
export function localReporter(reporter: StackReporter): Reporter {
  return { ask: async (question, params) => answer(reporter, question, params) };
}

function answer(
  reporter: StackReporter,
  question: Question,
  params: Readonly<Record<string, unknown>>,
): unknown {
  if (question === 'connections') return reporter.connections(params as ConnectionFilter);
  return reporter[question]();
}

interface Asked {
  readonly dpdkNetAsk: number;
  readonly question: Question;
  readonly params: Readonly<Record<string, unknown>>;
}

interface Answered {
  readonly dpdkNetAnswer: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** The stack of a worker, whose thread has called answerOver() with the other end. */
export function remoteReporter(port: MessagePort | Worker): Reporter {
  const waiting = new Map<number, (answered: Answered) => void>();
  let nextId = 1;
  port.on('message', (message: Partial<Answered> | null) => {
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
  return {
    ask: (question, params) =>
      new Promise((resolve, reject) => {
        const id = nextId++;
        waiting.set(id, ({ result, error }) =>
          error === undefined ? resolve(result) : reject(new Error(error)),
        );
        const asked: Asked = { dpdkNetAsk: id, question, params };
        port.postMessage(asked);
      }),
  };
}

/** In a worker: answers for its stack what comes through `port`. Holds nothing alive. */
export function answerOver(port: MessagePort, reporter: StackReporter): void {
  port.on('message', (message: Partial<Asked> | null) => {
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
  port.unref();
}
