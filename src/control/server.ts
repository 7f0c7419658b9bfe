/**
 * The control socket of a running process: answers questions about its stacks.
 *
 * It is the kernel's (a Unix socket), holds nothing alive, and costs nothing while nobody asks.
 * @module
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { controlFolder, processesIn, socketOf } from './folder.ts';
import { type Answer, type Hello, LineReader, PROTOCOL, type Request } from './lines.ts';

/**
 * Sends one more event; returns false when the client reads too slowly and this one is lost. `bytes`
 * is called when it can be sent; what it returns travels behind the event, null: there is none.
 */
export type Emit = (event: unknown, bytes?: () => Uint8Array | null) => boolean;

/** What a method that goes on returns: how to end it. */
export type End = () => void;

/** Answers requests by name. A method throws an Error to refuse. */
export interface Methods {
  readonly [name: string]: (params: Readonly<Record<string, unknown>>) => unknown;
}

/** Methods that go on until they are cancelled. */
export interface Streams {
  readonly [name: string]: (params: Readonly<Record<string, unknown>>, emit: Emit) => End;
}

export interface ControlOptions {
  readonly version: string;
  readonly title: string;
  readonly methods: Methods;
  readonly streams?: Streams;
  /** Where the socket is made; the user's own folder when not given. */
  readonly folder?: string;
}

/** What may wait for a client that does not read, in bytes; beyond, events are lost and counted. */
const MOST_WAITING = 8 << 20;

export class ControlServer {
  readonly path: string;
  readonly #options: ControlOptions;
  readonly #server: Server;
  readonly #clients: Set<Socket> = new Set();

  /** Listens at once; what killed processes left in the folder is removed. */
  constructor(options: ControlOptions) {
    const folder = options.folder ?? controlFolder();
    // Also one of our own number, of a process long dead.
    processesIn(folder);
    this.path = socketOf(folder, process.pid);
    rmSync(this.path, { force: true });
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.on('error', (error) => {
      process.emitWarning(`no control socket: ${error.message}`, { code: 'DPDK_NET_CONTROL' });
    });
    this.#server.listen(this.path, () => chmodSync(this.path, 0o600));
    this.#server.unref();
  }

  /** Hangs up on everybody and removes the socket. Synchronous, idempotent. */
  close(): void {
    this.#server.close();
    for (const socket of this.#clients) socket.destroy();
    rmSync(this.path, { force: true });
  }

  #serve(socket: Socket): void {
    const { version, title } = this.#options;
    this.#clients.add(socket);
    socket.unref();
    const session = new Session(socket, this.#options);
    const reader = new LineReader((line) => session.line(line));
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      try {
        reader.push(text);
      } catch (error) {
        socket.end(`${JSON.stringify({ id: 0, error: (error as Error).message })}\n`);
      }
    });
    // Who hangs up in the middle of an answer is gone, that is all.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#clients.delete(socket);
      session.end();
    });
    const hello: Hello = { dpdkNet: version, protocol: PROTOCOL, pid: process.pid, title };
    socket.write(`${JSON.stringify(hello)}\n`);
  }
}

/** One client. */
class Session {
  readonly #socket: Socket;
  readonly #options: ControlOptions;
  readonly #ends: Map<number, End> = new Map();

  constructor(socket: Socket, options: ControlOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  line(line: string): void {
    let id = 0;
    try {
      const request = JSON.parse(line) as Request;
      if (typeof request !== 'object' || request === null || typeof request.method !== 'string') {
        throw new Error('a request is { "id": 1, "method": "...", "params": { ... } }');
      }
      id = Number(request.id);
      void this.#answer(request).catch((error: unknown) => this.#refuse(id, error));
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  end(): void {
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
  }

  async #answer({ id, method, params = {} }: Request): Promise<void> {
    const { methods, streams = {} } = this.#options;
    if (method === 'cancel') {
      this.#ends.get(id)?.();
      this.#ends.delete(id);
      this.#write({ id, result: true });
    } else if (Object.hasOwn(streams, method)) {
      if (this.#ends.has(id)) throw new Error(`request ${id} is still going on`);
      this.#ends.set(
        id,
        streams[method]!(params, (event, bytes) => this.#emit(id, event, bytes)),
      );
    } else if (Object.hasOwn(methods, method)) {
      this.#write({ id, result: await methods[method]!(params) });
    } else {
      const all = [...Object.keys(methods), ...Object.keys(streams)].sort().join(', ');
      throw new Error(`unknown method '${method}'; there is ${all}`);
    }
  }

  #emit(id: number, event: unknown, bytes?: () => Uint8Array | null): boolean {
    if (this.#socket.writableLength > MOST_WAITING) return false;
    if (bytes === undefined) {
      this.#write({ id, event });
      return true;
    }
    const taken = bytes();
    if (taken === null || this.#socket.destroyed) return true;
    this.#write({ id, event, bytes: taken.length });
    this.#socket.write(taken);
    return true;
  }

  #refuse(id: number, error: unknown): void {
    this.#write({ id, error: error instanceof Error ? error.message : String(error) });
  }

  #write(answer: Answer): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(answer)}\n`);
  }
}
