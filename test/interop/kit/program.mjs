/**
 * A program as a shell would run it: its output, its process group, its end.
 * @module
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export class Program {
  output = '';
  #child;
  #ended;
  #watchers = new Set();

  /** Starts `command` in the project's folder, in a process group of its own. */
  constructor(command, env = {}) {
    const environment = { ...process.env, ...env };
    delete environment.NODE_TEST_CONTEXT;
    this.#child = spawn(command[0], command.slice(1), {
      cwd: ROOT,
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text;
        for (const watch of this.#watchers) watch();
      });
    }
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        resolve({ code, signal, output: this.output });
        for (const watch of this.#watchers) watch(true);
      });
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** Resolves when `pattern` is in the output; rejects when it ends without, or is too slow. */
  says(pattern, patienceMs = 180_000) {
    return new Promise((resolve, reject) => {
      const watch = (isOver = false) => {
        const match = this.output.match(pattern);
        if (match === null && !isOver) return;
        clearTimeout(timer);
        this.#watchers.delete(watch);
        if (match !== null) resolve(match);
        else reject(new Error(`it ended without ${pattern}:\n${this.output}`));
      };
      const timer = setTimeout(() => watch(true), patienceMs);
      this.#watchers.add(watch);
      watch();
    });
  }

  /** What Ctrl-C in a terminal does: every process of the group gets the signal. */
  signalGroup(signal) {
    process.kill(-this.pid, signal);
  }

  /** The end of whatever is left of the group; nothing when that is nothing. */
  kill() {
    try {
      this.signalGroup('SIGKILL');
    } catch {
      // All of it has ended.
    }
  }

  /** What `kill` does. */
  signal(signal) {
    process.kill(this.pid, signal);
  }

  /** Resolves with { code, signal, output } when it has ended and closed its output. */
  ended(patienceMs = 120_000) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`it does not end:\n${this.output}`)),
        patienceMs,
      );
      this.#ended.then((end) => {
        clearTimeout(timer);
        resolve(end);
      });
    });
  }
}

/** Runs it to its end; the output. Throws with the output when it fails. */
export async function run(...command) {
  const program = new Program(command);
  const { code, output } = await program.ended(180_000);
  if (code !== 0) throw new Error(`${command.join(' ')}: status ${code}\n${output}`);
  return output;
}
