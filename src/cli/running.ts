/**
 * For tests: the command in a process of its own, and what it says.
 * @module
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL(`./main${import.meta.url.slice(-3)}`, import.meta.url));

export interface RunningCommand {
  readonly child: ChildProcess;
  /** Everything it has said on both streams. */
  output(): string;
  /** Resolves when it has said `text` so many times (1 unless told); rejects when it ends before. */
  says(text: string, times?: number): Promise<void>;
  /** Resolves to the exit code; null: a signal killed it. */
  ended(): Promise<number | null>;
  /** Sends a signal and resolves to the exit code, or the signal that killed it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** Runs `dpdk-net args...` in a folder. */
export function startCommand(folder: string, args: readonly string[]): RunningCommand {
  return startProgram(folder, [MAIN, ...args]);
}

/** Runs `node args...` in a folder. */
export function startProgram(folder: string, args: readonly string[]): RunningCommand {
  const child = spawn(process.execPath, args, { cwd: folder });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child,
    output: () => output,
    says: async (wanted, times = 1) => {
      while (output.split(wanted).length <= times) {
        assert.equal(child.exitCode, null, output);
        await delay(10);
      }
    },
    ended: async () => (await closed)[0],
    end: async (signal) => {
      child.kill(signal);
      const [status, killer] = await closed;
      return status ?? killer!;
    },
  };
}
