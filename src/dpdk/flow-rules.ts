/**
 * The flow rules of a port: created, listed with what they counted, destroyed.
 * @module
 */
import type { FlowRule } from '../flow/rule.ts';
import { checkRule, formatRule, parseRule } from '../flow/text.ts';
import { ruleWords } from '../flow/words.ts';
import { addon } from './addon.ts';
import { DpdkError } from './dpdk-error.ts';

export interface FlowEntry {
  readonly id: number;
  readonly rule: FlowRule;
  /** The rule as text. */
  readonly text: string;
  /** 'hardware': the device does it, too; the addon does it in any case with what still comes. */
  readonly where: 'hardware' | 'software';
}

export interface FlowCount extends FlowEntry {
  /** What matched so far. */
  readonly frames: number;
  readonly bytes: number;
}

export class FlowRules {
  readonly #port: number;
  readonly #queues: number;
  readonly #entries = new Map<number, FlowEntry>();

  constructor(port: number, queues: number) {
    this.#port = port;
    this.#queues = queues;
  }

  /**
   * Adds a rule behind all others: 'tcp dst 80 => queue 1', or as a FlowRule. Throws StackError
   * EINVAL for a rule that makes no sense, DpdkError for a queue that the port has not, and when
   * there are 256 rules.
   */
  create(rule: FlowRule | string): FlowEntry {
    const parsed = typeof rule === 'string' ? parseRule(rule) : rule;
    checkRule(parsed);
    const missing = parsed.action.queues?.find((queue) => queue >= this.#queues);
    if (missing !== undefined) {
      throw new DpdkError({
        code: 'EINVAL',
        operation: formatRule(parsed),
        reason: `there is no queue ${missing}`,
        log: [],
        remedy: `the port has the queues 0 to ${this.#queues - 1}`,
      });
    }
    const { id, hardware } = addon().ruleCreate(this.#port, [...ruleWords(parsed)], true);
    const entry: FlowEntry = {
      id,
      rule: parsed,
      text: formatRule(parsed),
      where: hardware ? 'hardware' : 'software',
    };
    this.#entries.set(id, entry);
    return entry;
  }

  /** All rules in their order, with what matched them. */
  list(): FlowCount[] {
    return [...this.#entries.values()].map((entry) => ({
      ...entry,
      ...addon().ruleCounters(this.#port, entry.id),
    }));
  }

  /** Takes a rule out; idempotent. When this returns no frame meets it any more. */
  destroy(id: number): void {
    if (this.#entries.delete(id)) addon().ruleDestroy(this.#port, id);
  }
}
