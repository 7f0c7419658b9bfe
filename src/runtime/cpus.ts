/**
 * Which processors this process may use.
 * @module
 */
import { readFileSync } from 'node:fs';

/** Their numbers; empty where the system does not say. */
export function allowedCpus(): number[] {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '');
  } catch {
    return [];
  }
}

/** '0-2,5' is [0, 1, 2, 5]. */
export function parseCpuList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    if (part === '' || !Number.isInteger(first) || !Number.isInteger(last)) return [];
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}
