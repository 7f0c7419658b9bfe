/**
 * Running other programs from the house's scripts: quietly while it goes well, with a sign of
 * life every ten seconds, and with their own words when it does not.
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How much of a program's output is shown when it fails, in lines. */
const TAIL_LINES = 60;
const HEARTBEAT_MS = 10_000;

export class CommandError extends Error {
  /** @param {string} title @param {string} output @param {number | string} status */
  constructor(title, output, status) {
    super(`${title} failed (${status})`);
    this.output = output;
    this.status = status;
  }
}

/** The full path of a program, null when it is not installed. */
export function find(program) {
  const folders = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`.split(
    delimiter,
  );
  for (const folder of folders) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/** Runs a program to its end and returns { status, stdout, stderr } without printing. */
export function ask(program, args, options = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', ...options });
  return { status: result.status ?? 1, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
}

/** Runs a program with the terminal as its own; resolves to its exit status. */
export function show(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? (signal ? 128 : 1)));
  });
}

/**
 * Runs a program as one step of the set-up: one line when it starts, a sign of life while it
 * lasts, one line when it is done. Rejects with CommandError, which carries the output's end.
 */
export function step(title, program, args, options = {}) {
  const start = Date.now();
  const lines = [];
  console.log(`· ${title}`);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const heartbeat = setInterval(() => {
      console.log(`  ${seconds(start)} … ${(lines.at(-1) ?? '').slice(0, 100)}`);
    }, HEARTBEAT_MS);
    let partial = '';
    const collect = (chunk) => {
      const parts = (partial + chunk).split('\n');
      partial = parts.pop() ?? '';
      lines.push(...parts.filter((line) => line.trim() !== ''));
      if (lines.length > 2000) lines.splice(0, 1000);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const finish = (status) => {
      clearInterval(heartbeat);
      if (partial.trim() !== '') lines.push(partial);
      if (status === 0) {
        console.log(`  done in ${seconds(start)}`);
        resolve(lines.join('\n'));
      } else reject(new CommandError(title, lines.slice(-TAIL_LINES).join('\n'), status));
    };
    child.once('error', (error) => finish(error.message));
    child.once('close', (status, signal) => finish(status ?? signal ?? 'killed'));
  });
}

function seconds(start) {
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}

/** Ends the script with an error a person can act on. */
export function fail(error) {
  console.error(`\n${error.message}`);
  if (error instanceof CommandError && error.output !== '') console.error(`\n${error.output}`);
  process.exit(1);
}
