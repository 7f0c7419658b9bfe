/**
 * The processes of a benchmark: started on one processor, perhaps in a network namespace; they
 * speak in lines of JSON, and end when the harness ends, however it ends.
 * @module
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { find } from '../../tools/house/command.mjs';

const END_TIMEOUT_MS = 2000;
const STDERR_KEPT = 4000;
const living = new Set();

export class Child {
  /** Resolves with a sentence when the process ends. */
  ended;
  #process;
  #stderr = '';
  #onMessage = () => {};

  /** `how`: { cpu, namespace } - namespace null is the machine's own. */
  constructor(command, { cpu, namespace }) {
    const full = [
      // The kernel ends the child should we be killed; nobody else would.
      ...(find('setpriv') === null ? [] : ['setpriv', '--pdeathsig', 'KILL']),
      ...(namespace === null ? [] : ['ip', 'netns', 'exec', namespace]),
      'taskset',
      '-c',
      `${cpu}`,
      ...command,
    ];
    const child = spawn(full[0], full.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process = child;
    living.add(child);
    child.stdin.on('error', () => {});
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    this.#readLines();
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (status, signal) => {
        living.delete(child);
        resolve(`it ended (${signal ?? `status ${status}`})\n${this.#stderr}`.trim());
      });
    });
  }

  get pid() {
    return this.#process.pid;
  }

  /** `listener` gets each line: parsed, or as a string when it is not JSON. */
  onMessage(listener) {
    this.#onMessage = listener;
  }

  /** Writes a line to its standard input. */
  say(line) {
    this.#process.stdin.write(`${line}\n`);
  }

  /** The next line that the process says; rejects when it ends instead, or after a time. */
  firstLine(timeoutMs) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('it did not get ready')), timeoutMs);
      const settle = (act, value) => {
        clearTimeout(timer);
        this.#onMessage = () => {};
        act(value);
      };
      this.#onMessage = (message) => settle(resolve, message);
      void this.ended.then((why) => settle(reject, new Error(why)));
    });
  }

  /** Asks it to end, insists after a while. */
  async end() {
    const child = this.#process;
    child.stdin.end();
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  #readLines() {
    let partial = '';
    this.#process.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) this.#onMessage(line.startsWith('{') ? JSON.parse(line) : line);
    });
  }
}

/** Ends all children at once, for exits in a hurry. */
export function killChildren() {
  for (const child of living) child.kill('SIGKILL');
}

/** Seconds of processor time, user and system, that a process has used in all its threads. */
export function cpuSeconds(pid) {
  let nanoseconds = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(
        readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0],
      );
    }
  } catch {
    // It ended meanwhile: what ends the run says so.
  }
  return nanoseconds / 1e9;
}
