/**
 * Where our stack and Linux answer differently, and why that stays: the one list. The reasons at
 * length are in docs/decisions/0017.
 * @module
 */

import { PROBES } from './grammar.mjs';

/** Each: a name, the reason in a line, and whether a difference is of its kind. */
export const KNOWN = [
  {
    name: 'a segment without the agreed timestamps',
    reason: 'RFC 7323 3.2 wants it dropped without an answer; Linux takes it',
    is: (d) => hasTimestamps(d) && refusedAtLast(d, ['none', 'short timestamp']),
  },
  {
    name: 'options of a length that cannot be',
    reason: 'we drop the segment as malformed; Linux stops reading options there',
    is: (d) => refusedAtLast(d, ['zero length', 'short timestamp']),
  },
  {
    name: 'a bare ACK that PAWS refuses',
    reason: 'RFC 7323 5.3 R1 has an ACK sent; Linux says nothing to a bare one since 6.14',
    is: ({ step, ours, theirs }) =>
      step.options === 'old timestamp' &&
      step.flags === 'ACK' &&
      step.length === 0 &&
      /^ACK seq \d+ length 0 /.test(ours) &&
      theirs === 'nothing',
  },
  {
    name: 'DSACK with an ACK that is not taken',
    reason: 'we look at the sequence number first and tell of an old segment; Linux at the ACK',
    is: ({ step, ours, theirs }) =>
      step.seq?.[1] < 0 &&
      !isExpected(step.ack) &&
      bare(ours) === bare(theirs) &&
      / sack /.test(ours),
  },
  {
    name: 'the next data with an ACK that is too old',
    reason:
      "RFC 5961 5.2 drops the segment; so does Linux, except in its header prediction's fast path",
    is: ({ step, ours, theirs }) =>
      step.flags?.startsWith('ACK') &&
      step.ack[1] < 0 &&
      step.seq[0] === 'rcv' &&
      step.seq[1] === 0 &&
      withoutAck(ours) === withoutAck(theirs) &&
      ackOf(theirs) - ackOf(ours) === step.length,
  },
  {
    name: 'an ACK of less than the SYN',
    reason:
      'RFC 5961 5.2: Linux counts a SYN that it sent as acknowledged data, we only data and FIN',
    is: ({ step, ours, theirs, way }) =>
      way.role === 'connector' &&
      step.ack?.[0] === 'una' &&
      step.ack[1] === -1 &&
      /^ACK seq \d+ length 0 /.test(ours) &&
      /^(ACK seq \d+ length 0 |nothing)/.test(theirs),
  },
  {
    name: 'DSACK in TIME-WAIT',
    reason: 'ours is a whole connection still; what Linux keeps knows nothing of SACK',
    is: ({ steps, at, ours, theirs }) =>
      steps.slice(0, at).some(({ flags }) => flags?.includes('FIN')) &&
      steps.slice(0, at).some(({ program }) => ['shutdown', 'close'].includes(program)) &&
      / sack /.test(ours) &&
      bare(ours) === theirs,
  },
  {
    name: 'FIN and a closed window',
    reason: 'a FIN needs no buffer: ours goes; Linux waits until the window opens',
    is: ({ steps, at, step, ours, theirs }) =>
      ['shutdown', 'close'].includes(step.program) &&
      steps.slice(0, at).some(({ window }) => window === 0) &&
      ours.startsWith('FIN ACK') &&
      theirs === 'nothing',
  },
  {
    name: 'SYN in SYN-RECEIVED',
    reason: 'RFC 5961 4 challenges it; Linux resets the half-open connection',
    is: (d) =>
      d.step.flags?.startsWith('SYN') &&
      isHalfOpen(d) &&
      /^(ACK seq 1 length 0|nothing)/.test(d.ours) &&
      d.theirs.startsWith('RST'),
  },
  {
    name: 'a wrong ACK in SYN-RECEIVED',
    reason: 'RFC 9293 looks at the sequence number first; Linux at the ACK, and resets',
    is: (d) =>
      isHalfOpen(d) &&
      d.step.flags?.includes('ACK') &&
      !isExpected(d.step.ack) &&
      d.ours.startsWith('ACK seq 1 length 0') &&
      d.theirs.startsWith('RST seq'),
  },
  {
    name: 'neither ACK nor RST nor SYN',
    reason: 'RFC 9293 looks at the sequence number first and answers; Linux at the flags',
    is: ({ step, ours, theirs }) =>
      theirs === 'nothing' && /^(|FIN)$/.test(step.flags ?? '-') && /^ACK/.test(ours),
  },
  {
    name: 'at the right edge of the window',
    reason: 'we cut off what is beyond, as RFC 9293 says; Linux drops the whole segment since 6.17',
    is: ({ step, ours, theirs }) =>
      step.seq?.[0] === 'edge' && isAckOrNothing(ours) && isAckOrNothing(theirs),
  },
  {
    name: 'what is beyond the window of a program that has closed',
    reason:
      'one of the two resets (data for nobody), the other answers with an ACK (out of window)',
    is: (d) => hasClosed(d) && !isNext(d.step) && isResetAndAck(d.ours, d.theirs),
  },
  {
    name: 'echo of a later timestamp in SYN-RECEIVED',
    reason: 'Linux (TSEcrRejected) wants that of its SYN-ACK, though it has sent others since',
    is: (d) =>
      isHalfOpen(d) &&
      d.heard.slice(1, d.at).some((answer) => answer.startsWith('ACK seq 1')) &&
      d.theirs.startsWith('ACK seq 1 length 0 ack 1 <'),
  },
  {
    name: 'the ACK of a SYN-ACK while there is something to send',
    reason:
      'ours rides on the data or FIN, and several writes on one segment; Linux sends it first',
    is: ({ step, ours, theirs }) =>
      step.flags === 'SYN ACK' &&
      /^ACK seq 1 length 0 ack \d+[^;]*; /.test(theirs) &&
      /^(ACK seq 1 length [1-9]|FIN ACK seq 1)/.test(ours),
  },
  {
    name: 'data on a SYN-ACK',
    reason: 'RFC 9293 3.10.7.3 keeps it; Linux without Fast Open does not',
    is: ({ step, ours, theirs }) =>
      step.flags === 'SYN ACK' &&
      step.length > 0 &&
      withoutAck(ours) === withoutAck(theirs) &&
      ackOf(ours) - ackOf(theirs) === step.length,
  },
  {
    name: 'SYN-ACK of a simultaneous open',
    reason: 'ours has the options that the SYN had (RFC 7323 2.2); Linux repeats those of its SYN',
    is: ({ step, ours, theirs, way }) =>
      way.role === 'connector' &&
      step.flags === 'SYN' &&
      /^SYN ACK .*<mss>$/.test(ours) &&
      /^SYN ACK seq [01] length 0 /.test(theirs),
  },
  {
    name: 'ranges that end with a FIN',
    reason: 'Linux counts the number of a FIN that came early in SACK blocks, we the data alone',
    is: ({ step, ours, theirs }) =>
      step.flags?.includes('FIN') &&
      bare(ours) === bare(theirs) &&
      (!/ sack /.test(ours) || ours.replace(/-\d+$/, '') === theirs.replace(/-\d+$/, '')),
  },
  {
    name: 'blocks in the answer to a FIN',
    reason: 'Linux forgets what was early and what came twice when a FIN comes; we tell of it',
    is: ({ step, ours, theirs }) =>
      step.flags?.includes('FIN') && / sack /.test(ours) && bare(ours) === bare(theirs),
  },
  {
    name: "segments behind the peer's FIN",
    reason:
      'RFC 9293 3.10.7.4 ignores their text; Linux answers with ACK, or RST (RFC 1122 4.2.2.13)',
    is: ({ steps, at, step, ours, theirs }) =>
      steps.slice(0, at).some(({ flags }) => flags?.includes('FIN')) &&
      (step.length > 0 || step.flags?.includes('FIN')) &&
      ours === 'nothing' &&
      /^(ACK|RST) /.test(theirs),
  },
  {
    name: 'RST just below the window',
    reason: 'RFC 5961 3.2 drops it; Linux measures from the last ACK it sent, and challenges it',
    is: ({ step, ours, theirs }) =>
      step.flags?.includes('RST') &&
      step.seq[1] < 0 &&
      ours === 'nothing' &&
      theirs.startsWith('ACK '),
  },
];

/** Whether both sides agreed on timestamps. */
function hasTimestamps({ steps, heard, way }) {
  if (way.role === 'listener') return /timestamps/.test(heard[0]);
  return steps.some(({ flags, options }) => flags === 'SYN ACK' && options === 'syn');
}

/** The last segment before the probes has one of these options, and it, or what follows, differs. */
function refusedAtLast({ steps, at, ours }, options) {
  const last = steps.length - PROBES.length - 1;
  if (!options.includes(steps[last].options)) return false;
  return at > last || (at === last && ours === 'nothing');
}

/** No segment so far can have brought a listener's connection out of SYN-RECEIVED. */
function isHalfOpen({ steps, at, way }) {
  if (way.role !== 'listener') return false;
  return !steps.slice(1, at).some(({ flags, ack, options, seq }) => {
    if (flags === undefined || /SYN|RST/.test(flags) || !flags.includes('ACK')) return false;
    return isExpected(ack) && options !== 'old timestamp' && seq[0] === 'rcv' && seq[1] === 0;
  });
}

function hasClosed({ steps, at }) {
  return steps.slice(0, at).some(({ program }) => program === 'close');
}

function isExpected(ack) {
  return ack !== null && ack !== undefined && ack[1] === 0;
}

/** One is a RST, the other an ACK or nothing. */
function isResetAndAck(ours, theirs) {
  const isAck = (answer) => /^(ACK|nothing)/.test(answer);
  const isReset = (answer) => answer.startsWith('RST seq');
  return (isAck(ours) && isReset(theirs)) || (isReset(ours) && isAck(theirs));
}

function isAckOrNothing(answer) {
  return /^(ACK|SYN ACK|nothing)/.test(answer);
}

function ackOf(answer) {
  return Number(answer.match(/ ack (\d+)/)?.[1]);
}

function withoutAck(answer) {
  return answer.replace(/ ack \d+/, '');
}

/** The segment that the target waits for. */
function isNext(step) {
  return step.seq?.[0] === 'rcv' && step.seq[1] === 0 && isExpected(step.ack);
}

/** An answer without its SACK blocks. */
function bare(text) {
  return text
    .replace(/ sack -?\d+--?\d+/g, '')
    .replace(/<sack timestamps>/g, '<timestamps>')
    .replace(/ <sack>/g, '');
}

/** The name of the known kind that a difference belongs to; null: it is news. */
export function knownAs(difference) {
  return KNOWN.find(({ is }) => is(difference))?.name ?? null;
}
