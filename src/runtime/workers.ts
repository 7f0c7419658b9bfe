/**
 * The main thread of a program that runs once per queue: starts the workers, and makes of them one
 * process for whoever started it: one exit code, signals for all, stdin for the first.
 * @module
 */
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { ConfigSource } from '../config/config.ts';
import type { FromWorker, TerminalSize, ToWorker, WorkerTask } from './messages.ts';
import type { CloseReport } from './open-stack.ts';
import type { Queues, QueueTicket } from './queues.ts';
import { RestartDelay } from './restart-delay.ts';
import { printUncaught } from './uncaught.ts';

export interface WorkersOptions {
  /** What a worker runs; it gets a WorkerTask. */
  readonly script: URL;
  readonly program: string;
  readonly args: readonly string[];
  /** What SIGHUP does, where no program listens for it and nobody hangs up a terminal. */
  readonly onHangUp?: () => void;
}

export interface ProgramEnd {
  readonly code: number;
  /** How the connections of each worker ended, as far as it could tell. */
  readonly reports: readonly CloseReport[];
}

/** How long connections may take to end, and how much longer a worker may, before it is killed. */
const DRAIN_MS = 2000;
const PATIENCE_MS = 5000;
/** Signals that end a program which does not listen for them. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One queue's worker, and those that were there before it. */
interface Place {
  worker: Worker | null;
  port: MessagePort | null;
  startedAt: number;
  /** It has thrown, or was killed: it did not give its queue back. */
  crashed: boolean;
  readonly delay: RestartDelay;
  /** It was told to end, and has nothing left to finish. */
  finished: boolean;
  /** Its program is being loaded, or runs. */
  isUp: boolean;
  /** It has crashed, and is about to be started again. */
  restarting: boolean;
}

/** A thread and the way to it. */
interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
}

export class Workers {
  /** Times that a worker was started again. */
  restarts = 0;
  /** Resolves when all have ended. */
  readonly ended: Promise<ProgramEnd>;
  readonly #queues: Queues;
  readonly #options: WorkersOptions;
  readonly #places: Place[] = [];
  readonly #reports: CloseReport[] = [];
  readonly #signals = new Set<NodeJS.Signals>();
  #resolve: (end: ProgramEnd) => void = () => {};
  /** Waits for a queue that needs a worker. */
  #spare: Thread | null = null;
  #code = 0;
  #isEnding = false;
  /** A signal has told them to end; who is still there finishes its connections. */
  #isFinishing = false;
  #patience: NodeJS.Timeout | null = null;
  /** Those that read stdin and are not the first queue's worker. */
  readonly #silent = new Set<Worker>();
  /** A program listens for SIGHUP itself. */
  #isHangUpTheirs = false;

  /** Starts them. */
  constructor(queues: Queues, options: WorkersOptions) {
    this.#queues = queues;
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    for (const name of ENDING_SIGNALS) this.#listen(name);
    for (let queue = 0; queue < queues.count; queue++) {
      this.#places.push({
        worker: null,
        port: null,
        startedAt: 0,
        crashed: false,
        delay: new RestartDelay(),
        finished: false,
        isUp: false,
        restarting: false,
      });
      this.#start(queue);
    }
  }

  /** The ways to the workers that run now, for questions; messages of others are let pass. */
  get ports(): MessagePort[] {
    return this.#places.flatMap(({ port }) => port ?? []);
  }

  /** Tells each that the configuration was read again. */
  reload(source: ConfigSource): void {
    for (const port of this.ports) send(port, { type: 'reload', source });
  }

  /** Ends them all with that exit code, as if the program had called process.exit(). */
  end(code: number, deadlineMs: number = DRAIN_MS): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#code = code;
    for (const { port } of this.#places) send(port, { type: 'end', code, deadlineMs });
    this.#patience = setTimeout(() => this.#killAll(), deadlineMs + PATIENCE_MS);
    this.#finishIfAllEnded();
  }

  #killAll(): void {
    for (const place of this.#places) {
      place.crashed = true;
      void place.worker?.terminate();
    }
  }

  #start(queue: number): void {
    const place = this.#places[queue]!;
    const ticket = this.#queues.ticket(queue);
    const spare = this.#spare;
    this.#spare = null;
    const { worker, port } = spare ?? this.#thread(`queue ${queue}`, ticket);
    if (spare !== null) send(port, { type: 'serve', ticket });
    place.worker = worker;
    place.port = port;
    place.crashed = false;
    place.restarting = false;
    place.startedAt = Date.now();
    port.on('message', (message: FromWorker) => this.#receive(queue, message));
    worker.ref();
    worker.on('error', (error) => this.#crashed(queue, error));
    worker.on('exit', (code) => this.#exited(queue, code));
  }

  #thread(name: string, ticket: QueueTicket | null): Thread {
    const { port1: port, port2 } = new MessageChannel();
    const { program, args, script } = this.#options;
    const task: WorkerTask = {
      ticket,
      config: this.#queues.source,
      port: port2,
      program,
      args,
      terminals: { stdout: sizeOf(process.stdout), stderr: sizeOf(process.stderr) },
    };
    const options = { workerData: task, transferList: [port2], stdin: true, name };
    return { worker: new Worker(script, options), port };
  }

  /** One more thread, with everything loaded: the next that crashes is soon there again. */
  #prepareSpare(): void {
    const { restart } = this.#queues.config.workers;
    if (!restart || this.#isEnding || this.#isFinishing || this.#spare !== null) return;
    const spare = this.#thread('spare', null);
    this.#spare = spare;
    const lost = (): void => {
      if (this.#spare === spare) this.#spare = null;
    };
    spare.worker.on('error', lost).on('exit', lost).unref();
  }

  #receive(queue: number, message: FromWorker): void {
    const place = this.#places[queue]!;
    switch (message.type) {
      case 'up':
        // Not before all are there: it would only take their time.
        place.isUp = true;
        if (this.#places.every((other) => other.isUp || isGone(other))) this.#prepareSpare();
        break;
      case 'exit':
        this.end(message.code);
        break;
      case 'closed':
        this.#reports.push(message.report);
        break;
      case 'finished':
        this.#finished(place);
        break;
      case 'listens':
        if (message.name === 'SIGHUP') this.#isHangUpTheirs = true;
        this.#listen(message.name);
        break;
      case 'stdin':
        this.#giveStdin(queue, place.worker!);
        break;
      default:
        break;
    }
  }

  /** All end when the last has finished, or should have. */
  #finished(place: Place): void {
    place.finished = true;
    this.#isFinishing = true;
    if (this.#places.every((other) => other.finished || !hasWorker(other))) this.end(0);
    else setTimeout(() => this.end(0), this.#queues.config.shutdown.drainMs).unref();
  }

  /**
   * Stdin is one, and so is its reader: the first queue's worker. For others it is open and silent,
   * for a program that ends at its end would end them all; when the reader is gone, it ends.
   */
  #giveStdin(queue: number, worker: Worker): void {
    if (queue === 0) process.stdin.pipe(worker.stdin!);
    else if (isGone(this.#places[0]!)) worker.stdin!.end();
    else this.#silent.add(worker);
  }

  /** Its reader has ended; with `restart` another may follow, and reads on. */
  #releaseStdin(reader: Worker, isFollowed: boolean): void {
    process.stdin.unpipe(reader.stdin!);
    if (isFollowed) return;
    for (const { stdin } of this.#silent) stdin!.end();
    this.#silent.clear();
  }

  #listen(name: NodeJS.Signals): void {
    if (this.#signals.has(name)) return;
    this.#signals.add(name);
    const number = constants.signals[name];
    const forward = (): void => {
      const { onHangUp } = this.#options;
      if (name === 'SIGHUP' && !this.#isHangUpTheirs && onHangUp !== undefined && !isatty(0)) {
        onHangUp();
        return;
      }
      for (const { port } of this.#places) send(port, { type: 'signal', name, number });
    };
    try {
      process.on(name, forward);
    } catch {
      // SIGKILL and SIGSTOP are nobody's.
    }
  }

  #crashed(queue: number, error: unknown): void {
    this.#places[queue]!.crashed = true;
    if (this.#isEnding) return;
    printUncaught(error);
    if (!this.#queues.config.workers.restart) this.end(1);
  }

  #exited(queue: number, code: number): void {
    const place = this.#places[queue]!;
    const worker = place.worker!;
    const isFollowed = place.crashed && !this.#isEnding && !this.#isFinishing;
    this.#silent.delete(worker);
    // When all end they are told to, and no end of stdin.
    if (queue === 0 && !this.#isEnding) this.#releaseStdin(worker, isFollowed);
    place.worker = null;
    place.isUp = false;
    place.port!.close();
    place.port = null;
    if (this.#isEnding) {
      // What its stack held is given back.
      if (place.crashed) this.#queues.renew(queue);
      this.#finishIfAllEnded();
    } else if (isFollowed) {
      this.#restart(queue, place);
    } else {
      if (this.#code === 0) this.#code = code;
      const left = this.#places.flatMap((other, index) => (isGone(other) ? [] : [index]));
      this.#queues.retire(queue, left);
      this.#finishIfAllEnded();
    }
  }

  #restart(queue: number, place: Place): void {
    const wait = place.delay.next(Date.now() - place.startedAt);
    this.restarts++;
    place.restarting = true;
    setTimeout(() => {
      if (this.#isEnding) return;
      this.#queues.renew(queue);
      this.#start(queue);
    }, wait);
  }

  #finishIfAllEnded(): void {
    const isGoing = this.#isEnding ? hasWorker : (place: Place): boolean => !isGone(place);
    if (this.#places.some(isGoing)) return;
    void this.#spare?.worker.terminate();
    if (this.#patience !== null) clearTimeout(this.#patience);
    this.#resolve({ code: this.#code, reports: this.#reports });
  }
}

function hasWorker({ worker }: Place): boolean {
  return worker !== null;
}

/** Ended for good. */
function isGone({ worker, restarting }: Place): boolean {
  return worker === null && !restarting;
}

function send(port: MessagePort | null, message: ToWorker): void {
  port?.postMessage(message);
}

function sizeOf(stream: NodeJS.WriteStream): TerminalSize | null {
  return stream.isTTY ? { columns: stream.columns, rows: stream.rows } : null;
}
