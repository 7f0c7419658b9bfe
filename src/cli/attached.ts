/**
 * Commands that ask a running process: how they find it, and how they print what it says.
 * @module
 */
import type { Command } from 'commander';
import { attach, type ControlClient } from '../control/client.ts';
import { UsageError } from './errors.ts';

export interface AttachOptions {
  readonly pid?: string;
  readonly json?: boolean;
}

/** --pid and --json. */
export function attachOptions(command: Command): Command {
  return command
    .option('-p, --pid <number>', 'which process, when several run')
    .option('--json', 'as JSON')
    .exitOverride();
}

/** Asks the process that `options` choose. Throws AttachError when there is none. */
export async function withProcess<T>(
  { pid }: AttachOptions,
  ask: (client: ControlClient) => Promise<T>,
): Promise<T> {
  const client = await attach(pid === undefined ? null : numberOf('--pid', pid));
  try {
    return await ask(client);
  } finally {
    client.close();
  }
}

/** A whole number that is not negative. Throws UsageError. */
export function numberOf(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${option} ${text} is not a number`);
}

/** Asks for a list and prints it, one way or the other. */
export async function printList<T>(
  method: string,
  params: Record<string, unknown>,
  options: AttachOptions,
  text: (list: T[]) => string,
): Promise<void> {
  const list = await withProcess(options, (client) => client.ask<T[]>(method, params));
  print(options.json === true ? jsonText(list) : text(list));
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

export function print(text: string): void {
  process.stdout.write(text);
}
