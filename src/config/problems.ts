/**
 * What is wrong with a configuration, each with its place, and all of them at once.
 * @module
 */
import type { Place } from './toml.ts';

export interface Problem {
  /** Null when nothing in the file is to blame: something is missing altogether. */
  readonly place: Place | null;
  /** What is wrong, and what would be right. */
  readonly message: string;
}

/** Thrown when a configuration can not be used. Nothing has been started. */
export class ConfigError extends Error {
  override readonly name: string = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const sorted = [...problems].sort((a, b) => order(a) - order(b));
    super(sorted.map(formatProblem).join('\n'));
    this.problems = sorted;
  }
}

/** 'dpdk-net.toml:7:3: unknown key ...'. What overrides the file has no line. */
export function formatProblem({ place, message }: Problem): string {
  if (place === null) return message;
  return place.line === 0
    ? `${place.source}: ${message}`
    : `${place.source}:${place.line}:${place.column}: ${message}`;
}

function order({ place }: Problem): number {
  return place === null ? -1 : place.line * 1000 + place.column;
}
