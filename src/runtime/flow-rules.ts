/**
 * The flow rules of a configuration on a running port.
 * @module
 */
import type { FlowConfig } from '../config/config.ts';
import type { Port } from '../dpdk/index.ts';

/**
 * Puts the rules `after` in place of `before`, which the port has from an earlier call. What both
 * begin with stays, with its counters; the rest comes behind whatever else the port has. Throws as
 * FlowRules.create() does.
 */
export function replaceFlows(
  { flows }: Port,
  before: readonly FlowConfig[],
  after: readonly FlowConfig[],
): void {
  let same = 0;
  while (same < before.length && before[same]!.text === after[same]?.text) same++;
  for (const { text } of before.slice(same).reverse()) {
    const entry = flows.list().findLast((other) => other.text === text);
    if (entry !== undefined) flows.destroy(entry.id);
  }
  for (const { rule } of after.slice(same)) flows.create(rule);
}
