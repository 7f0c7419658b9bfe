/**
 * One question to all servers: in their order, round after round, until one of them knows.
 * @module
 */
import type { Answer } from 'dns-packet';
import { exchange, type Failure, type LocalAddress } from './exchange.ts';
import { isName, type Question, recordsFor } from './message.ts';
import type { Server } from './settings.ts';

/** Why there are no records: the codes of Node's dns module. */
export type QueryError =
  | Failure
  | 'ENODATA'
  | 'ENOTFOUND'
  | 'EFORMERR'
  | 'ESERVFAIL'
  | 'ENOTIMP'
  | 'EREFUSED'
  | 'EBADNAME'
  | 'EBADRESP';

export interface QueryOptions {
  readonly servers: readonly Server[];
  readonly timeoutMs: number;
  /** Bound of the doubling; 0: none. */
  readonly maxTimeoutMs: number;
  readonly attempts: number;
  readonly signal: AbortSignal;
  readonly local: LocalAddress | null;
}

/** By RCODE (RFC 1035 4.1.1); what is not here is a bad response. */
const ERRORS: readonly (QueryError | null)[] = [
  null,
  'EFORMERR',
  'ESERVFAIL',
  'ENOTFOUND',
  'ENOTIMP',
  'EREFUSED',
];
const NXDOMAIN = 3;

/** The records that answer the question, or why there are none. Never rejects. */
export async function query(
  question: Question,
  options: QueryOptions,
): Promise<Answer[] | QueryError> {
  if (!isName(question.name)) return 'EBADNAME';
  let failure: QueryError = 'ECONNREFUSED';
  for (let round = 0; round < options.attempts; round++) {
    const doubled = options.timeoutMs * 2 ** round;
    const timeoutMs = options.maxTimeoutMs > 0 ? Math.min(doubled, options.maxTimeoutMs) : doubled;
    for (const server of options.servers) {
      const { signal, local } = options;
      const answer = await exchange(server, question, { timeoutMs, signal, local });
      if (answer === 'ECANCELLED') return answer;
      if (typeof answer === 'string') {
        failure = answer;
        continue;
      }
      if (answer.rcode === 0) {
        const records = recordsFor(question, answer.answers);
        return records.length > 0 ? records : 'ENODATA';
      }
      // That there is no such name is an answer; for the rest another server may know better.
      failure = ERRORS[answer.rcode] ?? 'EBADRESP';
      if (answer.rcode === NXDOMAIN) return failure;
    }
    // Every server has answered, and another round would get the same.
    if (failure !== 'ETIMEOUT' && failure !== 'ECONNREFUSED') return failure;
  }
  return failure;
}
