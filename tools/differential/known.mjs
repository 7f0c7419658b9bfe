/**
 * Where our stack and Linux answer differently, and why that stays: the one list. The reasons at
 * length are in docs/decisions/0017.
 * @module
 */

/** Each: a name, the reason in a line, and whether a difference is of its kind. */
export const KNOWN = [
  {
    name: 'a segment without the agreed timestamps',
    reason: 'RFC 7323 3.2 wants it dropped without an answer; Linux takes it',
    is: ({ step, ours, heard }) =>
      ours === 'nothing' &&
      /timestamps/.test(heard[0]) &&
      ['none', 'short timestamp'].includes(step.options),
  },
  {
    name: 'options of a length that cannot be',
    reason: 'we drop the segment as malformed; Linux stops reading options there',
    is: ({ step, ours }) =>
      ours === 'nothing' && ['zero length', 'short timestamp'].includes(step.options),
  },
  {
    name: 'RST of a connection whose program has closed',
    reason: 'ours has an ACK as well, with the same sequence number',
    is: ({ ours, theirs }) =>
      ours.startsWith('RST ACK') &&
      ours.replace(/^RST ACK/, 'RST').replace(/ ack .*/, '') === theirs,
  },
  {
    name: 'ACK below what was ever acknowledged',
    reason: 'RFC 5961 5.2 allows the largest window below; Linux no more than was acknowledged',
    is: ({ step, theirs }) =>
      step.ack !== undefined &&
      step.ack !== null &&
      step.ack[1] < 0 &&
      /^(ACK|nothing)/.test(theirs),
  },
  {
    name: 'SYN in SYN-RECEIVED',
    reason: 'RFC 5961 4 challenges it; Linux resets the half-open connection',
    is: ({ step, ours, theirs }) =>
      step.flags?.startsWith('SYN') && /^(ACK|nothing)/.test(ours) && theirs.startsWith('RST'),
  },
  {
    name: 'neither ACK nor RST nor SYN',
    reason: 'RFC 9293 looks at the sequence number first and answers; Linux at the flags',
    is: ({ step, theirs }) => theirs === 'nothing' && /^(|FIN)$/.test(step.flags ?? '-'),
  },
  {
    name: 'at the right edge of the window',
    reason: 'we cut off what is beyond, as RFC 9293 says; Linux drops the whole segment since 6.17',
    is: ({ step, ours, theirs }) =>
      step.seq?.[0] === 'edge' && /^(ACK|nothing)/.test(ours) && /^(ACK|nothing)/.test(theirs),
  },
  {
    name: 'echo of a later timestamp in SYN-RECEIVED',
    reason: 'Linux (TSEcrRejected) wants that of its SYN-ACK, though it has sent others since',
    is: ({ at, heard, theirs }) =>
      at >= 2 &&
      heard[1].startsWith('ACK seq 1') &&
      theirs.startsWith('ACK seq 1 length 0 ack 1 <'),
  },
  {
    name: 'SACK blocks on segments with data',
    reason: 'ours are on bare ACKs only; open, see the decision',
    is: ({ ours, theirs }) => / length [1-9]/.test(ours) && bare(ours) === bare(theirs),
  },
  {
    name: 'DSACK of what came before the peer began',
    reason: 'we report any old range; Linux none below its first sequence number',
    is: ({ ours, theirs }) => / sack -\d/.test(ours) && bare(ours) === bare(theirs),
  },
  {
    name: 'ranges that end with a FIN',
    reason: "Linux counts the FIN's number in SACK and DSACK blocks, we the data alone",
    is: ({ step, ours, theirs }) =>
      step.flags?.includes('FIN') && ours.replace(/-\d+$/, '') === theirs.replace(/-\d+$/, ''),
  },
  {
    name: 'data that waits behind a FIN',
    reason: 'the FIN is the end: Linux forgets what lies behind it, we still name it',
    is: ({ step, ours, theirs }) =>
      step.flags?.includes('FIN') && / sack \d/.test(ours) && bare(ours) === bare(theirs),
  },
  {
    name: "segments behind the peer's FIN",
    reason:
      'RFC 9293 3.10.7.4 ignores their text; Linux answers with ACK, or RST (RFC 1122 4.2.2.13)',
    is: ({ steps, at, ours, theirs }) =>
      steps.slice(0, at).some(({ flags }) => flags?.includes('FIN')) &&
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
