/**
 * What `dpdk-net ping` prints: a line per reply, and the statistics at the end.
 * @module
 */

/** What became of a request. */
export type Outcome =
  | { readonly kind: 'error'; readonly sequence: number; readonly error: string }
  | {
      readonly kind: 'reply';
      readonly sequence: number;
      /** Of the ICMP message. */
      readonly bytes: number;
      readonly from: string;
      readonly hops: number;
      readonly milliseconds: number;
      readonly duplicate: boolean;
    };

export class Statistics {
  sent = 0;
  received = 0;
  duplicates = 0;
  errors = 0;
  /** Round-trip times in milliseconds. */
  min: number = Number.POSITIVE_INFINITY;
  max = 0;
  sum = 0;
  sumOfSquares = 0;
}

export function addReply(to: Statistics, milliseconds: number, duplicate: boolean): void {
  if (duplicate) {
    to.duplicates++;
    return;
  }
  to.received++;
  to.min = Math.min(to.min, milliseconds);
  to.max = Math.max(to.max, milliseconds);
  to.sum += milliseconds;
  to.sumOfSquares += milliseconds * milliseconds;
}

export function addLoss(to: Statistics): void {
  to.errors++;
}

/** One line, with its end. */
export function lineOf(outcome: Outcome, json: boolean): string {
  if (json) return `${JSON.stringify(outcome)}\n`;
  if (outcome.kind === 'error') return `icmp_seq=${outcome.sequence} ${outcome.error}\n`;
  const { bytes, from, sequence, hops, milliseconds, duplicate } = outcome;
  const time = milliseconds.toFixed(3);
  const mark = duplicate ? ' (DUP!)' : '';
  return `${bytes} bytes from ${from}: icmp_seq=${sequence} ttl=${hops} time=${time} ms${mark}\n`;
}

export function summaryOf(of: Statistics, target: string, json: boolean): string {
  const { sent, received, duplicates, errors } = of;
  const loss = sent === 0 ? 0 : Math.round(((sent - received) / sent) * 10_000) / 100;
  const mean = received === 0 ? 0 : of.sum / received;
  const variance = received === 0 ? 0 : Math.max(0, of.sumOfSquares / received - mean * mean);
  const times = received === 0 ? [] : [of.min, mean, of.max, Math.sqrt(variance)];
  if (json) {
    const [min, average, max, deviation] = times;
    const rtt = received === 0 ? null : { min, average, max, deviation };
    const kind = 'statistics';
    return `${JSON.stringify({ kind, target, sent, received, duplicates, errors, loss, rtt })}\n`;
  }
  const counts = [
    `${sent} packets transmitted`,
    `${received} received`,
    ...(duplicates > 0 ? [`+${duplicates} duplicates`] : []),
    ...(errors > 0 ? [`+${errors} errors`] : []),
    `${loss}% packet loss`,
  ];
  const rtt = times.map((time) => time.toFixed(3)).join('/');
  const last = received === 0 ? '' : `rtt min/avg/max/mdev = ${rtt} ms\n`;
  return `\n--- ${target} ping statistics ---\n${counts.join(', ')}\n${last}`;
}
