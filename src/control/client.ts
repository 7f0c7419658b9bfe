/**
 * The other end of the control socket: finds a running process and asks it.
 * @module
 */
import { rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { controlFolder, processesIn, socketOf } from './folder.ts';
import { type Answer, AnswerReader, type Hello, PROTOCOL } from './lines.ts';

/** Nobody to ask, more than one, or a question that is refused. */
export class AttachError extends Error {
  override readonly name: string = 'AttachError';
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onEvent?: OnEvent;
}

/** `bytes` are what came behind the event; none for most. */
export type OnEvent = (event: unknown, bytes: Uint8Array) => void;

const NO_BYTES = new Uint8Array(0);

export class ControlClient {
  readonly hello: Hello;
  readonly #socket: Socket;
  readonly #pending: Map<number, Pending> = new Map();
  #nextId = 1;
  #failure: Error | null = null;

  private constructor(socket: Socket, hello: Hello) {
    this.#socket = socket;
    this.hello = hello;
    socket.on('close', () => {
      this.#failure ??= new AttachError(`process ${hello.pid} has ended`);
      for (const { reject } of this.#pending.values()) reject(this.#failure);
      this.#pending.clear();
    });
  }

  /** Connects to the socket at `path`. Rejects when nobody is there, or speaks another version. */
  static async open(path: string): Promise<ControlClient> {
    const socket = connect(path);
    return await new Promise<ControlClient>((resolve, reject) => {
      let client: ControlClient | null = null;
      let awaiting: Answer | null = null;
      const onLine = (line: string): number => {
        if (client !== null) {
          const answer = JSON.parse(line) as Answer;
          if (answer.bytes === undefined) client.#take(answer, NO_BYTES);
          else awaiting = answer;
          return answer.bytes ?? 0;
        }
        const hello = JSON.parse(line) as Hello;
        if (hello.protocol === PROTOCOL) {
          client = new ControlClient(socket, hello);
          resolve(client);
          return 0;
        }
        socket.destroy();
        reject(
          new AttachError(
            `process ${hello.pid} runs dpdk-net ${hello.dpdkNet}, which speaks version ${hello.protocol} of the control protocol, not ${PROTOCOL}; use its own command`,
          ),
        );
        return 0;
      };
      const reader = new AnswerReader(onLine, (bytes) => client!.#take(awaiting!, bytes));
      socket.on('data', (chunk: Uint8Array) => reader.push(chunk));
      socket.on('error', reject);
    });
  }

  /** Rejects with what the process says. */
  async ask<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    return (await this.#send(method, params)) as T;
  }

  /** Listens to a method that goes on. Rejects when it is refused, or the process ends. */
  async listen(method: string, params: Record<string, unknown>, onEvent: OnEvent): Promise<void> {
    await this.#send(method, params, onEvent);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #send(
    method: string,
    params: Record<string, unknown>,
    onEvent?: OnEvent,
  ): Promise<unknown> {
    if (this.#failure !== null) throw this.#failure;
    const id = this.#nextId++;
    return await new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, ...(onEvent === undefined ? {} : { onEvent }) });
      this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  #take({ id, result, error, event }: Answer, bytes: Uint8Array): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (event !== undefined) {
      pending.onEvent?.(event, bytes);
      return;
    }
    this.#pending.delete(id);
    if (error === undefined) pending.resolve(result);
    else pending.reject(new AttachError(error));
  }
}

/**
 * Connects to a running process of this user: number `pid`, or the only one. Throws AttachError
 * that says which there are.
 */
export async function attach(pid: number | null, folder?: string): Promise<ControlClient> {
  const place = folder ?? controlFolder();
  const clients: ControlClient[] = [];
  for (const candidate of processesIn(place)) {
    if (pid !== null && candidate !== pid) continue;
    const path = socketOf(place, candidate);
    try {
      clients.push(await ControlClient.open(path));
    } catch (error) {
      // The number belongs to another process now; the socket is what a killed one left.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error;
      rmSync(path, { force: true });
    }
  }
  if (clients.length === 1) return clients[0]!;
  for (const client of clients) client.close();
  if (clients.length > 1) {
    const list = clients.map(({ hello }) => `${hello.pid} (${hello.title})`).join(', ');
    throw new AttachError(`several processes run: ${list}; choose one with --pid`);
  }
  throw new AttachError(
    pid === null
      ? 'no process of this user runs on dpdk-net; start one: dpdk-net run server.js, or dpdk-net start'
      : `process ${pid} does not run on dpdk-net, or belongs to another user`,
  );
}
