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
    is: (d) => hasTimestamps(d) && isRefusedAck(d),
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
    is: (d) =>
      d.way.role === 'connector' &&
      d.step.ack?.[0] === 'una' &&
      d.step.ack[1] === -1 &&
      /^ACK seq \d+ length 0 /.test(d.ours) &&
      (/^(ACK seq \d+ length 0 |nothing)/.test(d.theirs) ||
        (hasClosed(d) && d.theirs.startsWith('RST seq'))),
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
    reason:
      'initial windows are not the same; and we cut off what is beyond, as RFC 9293 says, while Linux drops the whole segment since 6.17',
    is: ({ step, ours, theirs }) =>
      step.seq?.[0] === 'edge' &&
      ((isBareAck(ours) && isBareAck(theirs) && bare(ours) === bare(theirs)) ||
        (step.seq[1] <= 1 && [ours, theirs].includes('nothing') && isAckOrNothing(ours, theirs)) ||
        (isFirstAnswer(ours) && isFirstAnswer(theirs) && withoutAck(ours) === withoutAck(theirs))),
  },
  {
    name: 'what is beyond the window of a program that has closed',
    reason:
      'one of the two resets (data for nobody), the other answers with an ACK (out of window)',
    is: (d) => hasClosed(d) && d.step.seq?.[0] === 'edge' && isResetAndAck(d.ours, d.theirs),
  },
  {
    name: 'echo of a later timestamp in SYN-RECEIVED',
    reason: 'Linux (TSEcrRejected) wants that of its SYN-ACK, though it has sent others since',
    is: (d) =>
      isHalfOpen(d) &&
      !d.step.flags?.includes('RST') &&
      hasAnsweredHalfOpen(d) &&
      d.theirs === `ACK seq 1 length 0 ack ${ackOf(d.heard[openedAt(d)])} <timestamps>`,
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
      !step.flags?.includes('RST') &&
      (step.length > 0 || step.flags?.includes('FIN')) &&
      ours === 'nothing' &&
      /^(ACK|RST) /.test(theirs),
  },
  {
    name: 'the ACK of our FIN on data that came before',
    reason: 'RFC 9293 answers what ends where the window begins; Linux takes the ACK on it',
    is: ({ steps, at, step, ours, theirs }) =>
      steps.slice(0, at).some(({ program }) => ['shutdown', 'close'].includes(program)) &&
      step.seq?.[0] === 'rcv' &&
      step.seq[1] === -step.length &&
      isExpected(step.ack) &&
      isBareAck(ours) &&
      theirs === 'nothing',
  },
  {
    name: 'close() with an urgent byte at the end',
    reason:
      'urgent data is in line with us (RFC 6093) and was read; Linux keeps the byte, and resets',
    is: ({ steps, at, step, ours, theirs }) =>
      step.program === 'close' &&
      steps.slice(0, at).some(({ flags }) => flags?.includes('URG')) &&
      ours.startsWith('FIN ACK ') &&
      theirs.startsWith('RST ACK '),
  },
  {
    name: 'RST with an old timestamp, or the echo of a later one, in SYN-RECEIVED',
    reason: 'RFC 7323 5.2 keeps PAWS off RST: the connection is over; Linux drops the RST',
    is: (d) =>
      d.ours.startsWith('RST') &&
      /^(ACK |SYN ACK |nothing)/.test(d.theirs) &&
      d.steps.some(({ flags, options }, at) => {
        if (at >= d.at || !flags?.includes('RST') || !isHalfOpen({ ...d, at })) return false;
        return options === 'old timestamp' || hasAnsweredHalfOpen({ ...d, at });
      }),
  },
  {
    name: 'early data that opens the window',
    reason: 'ours has an ACK of its own for what came early; with Linux it rides on the data',
    is: ({ step, ours, theirs }) =>
      step.seq?.[1] > 0 &&
      ours.endsWith(`; ${theirs}`) &&
      isBareAck(ours.slice(0, -theirs.length - 2)) &&
      /^ACK seq \d+ length [1-9]/.test(theirs),
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

/** Where the listener's last SYN-ACK is; -1: nowhere. */
function openedAt({ heard, at }) {
  return heard.slice(0, at).findLastIndex((answer) => answer.startsWith('SYN ACK'));
}

/** No segment since its SYN-ACK can have brought a listener's connection out of SYN-RECEIVED. */
function isHalfOpen(d) {
  const { steps, at, way } = d;
  if (way.role !== 'listener' || openedAt(d) < 0) return false;
  return !steps.slice(openedAt(d) + 1, at).some(({ flags, ack, options, seq }) => {
    if (flags === undefined || /SYN|RST/.test(flags) || !flags.includes('ACK')) return false;
    return isExpected(ack) && options !== 'old timestamp' && seq[0] === 'rcv' && seq[1] === 0;
  });
}

/** Since its SYN-ACK the listener has sent an ACK, whose timestamp the peer has echoed since. */
function hasAnsweredHalfOpen(d) {
  return d.heard.slice(openedAt(d) + 1, d.at).some((answer) => answer.startsWith('ACK seq 1'));
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

/** Each is silence or an ACK with nothing on it. */
function isAckOrNothing(...answers) {
  return answers.every((answer) => answer === 'nothing' || isBareAck(answer));
}

function isBareAck(answer) {
  return /^ACK seq \d+ length 0 [^;]*$/.test(answer);
}

/** What is said where there is no connection. */
function isFirstAnswer(answer) {
  return /^(RST|SYN) ACK seq 0 length 0 ack \d+/.test(answer);
}

/** A segment without data that is refused for its timestamp. */
function isRefusedAck({ step, ours, theirs }) {
  const isBare = /^ACK( URG)?$/.test(step.flags) && step.length === 0;
  return step.options === 'old timestamp' && isBare && isBareAck(ours) && theirs === 'nothing';
}

function ackOf(answer) {
  return Number(answer.match(/ ack (-?\d+)/)?.[1]);
}

function withoutAck(answer) {
  return answer.replace(/ ack -?\d+/, '');
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
