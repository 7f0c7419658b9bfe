/**
 * Node's own sockets on the kernel's network, in a process of their own: our stack's peer.
 * @module
 */
import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('kernel-main.mjs', import.meta.url));

/** Runs a program, given as one line without quoting; its output. Throws with what it said. */
export function sh(line) {
  const [program, ...args] = line.split(' ');
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export class Kernel {
  #child;
  #calls = new Map();
  #next = 1;

  /** @param namespace another network namespace to live in; default this one */
  constructor(namespace = '') {
    const command = [process.execPath, MAIN];
    if (namespace !== '') command.unshift('ip', 'netns', 'exec', namespace);
    const env = { ...process.env };
    delete env.NODE_TEST_CONTEXT;
    this.#child = spawn(command[0], command.slice(1), {
      stdio: ['ignore', 2, 2, 'ipc'],
      env,
    });
    this.#child.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#calls.get(id);
      this.#calls.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(`on the kernel's side: ${error}`));
    });
    this.#child.on('exit', (...how) => {
      for (const { reject } of this.#calls.values()) reject(new Error(`the peer ended: ${how}`));
    });
    this.#child.unref();
  }

  /**
   * Runs `work(args, tools)` over there: it sees nothing of the scope that it is written in. Both
   * `args` and what it returns travel as JSON. Rejects when it takes longer than `patienceMs`.
   */
  run(work, args = {}, patienceMs = 120_000) {
    const id = this.#next++;
    const late = new Error(`the kernel's side is still in ${work.name}() after ${patienceMs} ms`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(late), patienceMs);
      const settle = (how) => (value) => {
        clearTimeout(timer);
        how(value);
      };
      this.#calls.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#child.send({ id, source: String(work), args });
    });
  }

  close() {
    if (this.#child.connected) this.#child.disconnect();
  }
}
