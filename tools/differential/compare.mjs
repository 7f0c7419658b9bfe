/**
 * Plays sequences to both targets, finds where they first differ, and makes that short.
 * @module
 */
import { PROBES, sequence } from './grammar.mjs';
import { knownAs } from './known.mjs';
import { playOurs } from './ours.mjs';

/** Plays `sequences` to both in one of the WAYS; for each the first difference, or null. */
export async function differences(target, sequences, way) {
  const probed = sequences.map((steps) => [...steps, ...PROBES]);
  const theirs = await target.play(probed, way);
  const ours = playOurs(probed, way);
  return probed.map((steps, index) => {
    const difference = first(steps, ours[index], theirs[index], way);
    return target.slowed[index] && isHeldBack(difference) ? null : difference;
  });
}

/** Linux keeps to itself what the program wrote or ended: with a cwnd of one it waits for an ACK. */
function isHeldBack(difference) {
  if (difference === null || difference.theirs !== 'nothing') return false;
  return ['write', 'shutdown', 'close'].includes(difference.step.program);
}

function first(steps, ours, theirs, way) {
  const at = ours.findIndex((answer, index) => answer !== theirs[index]);
  if (at < 0) return null;
  return { steps, at, step: steps[at], ours: ours[at], theirs: theirs[at], heard: ours, way };
}

/**
 * A difference of unknown kind, played again by itself: what the kernel does by its clock on a busy
 * machine, sending something again above all, does not come back. Null then.
 */
export async function confirmed(target, { steps, way }) {
  const [again] = await differences(target, [steps.slice(0, -PROBES.length)], way);
  return again !== null && knownAs(again) === null ? again : null;
}

/** The kinds of the segments: what stays the same when a sequence is made shorter. */
function kinds(text) {
  return text.replace(/-?\d+/g, 'n');
}

/** The shortest sequence found whose difference is of the same kind. */
export async function minimised(target, difference) {
  let best = difference;
  for (;;) {
    const length = best.steps.length - PROBES.length;
    const shorter = Array.from({ length }, (_, leave) =>
      best.steps.slice(0, length).filter((_, index) => index !== leave),
    ).filter((steps) => steps.length > 0);
    if (shorter.length === 0) return best;
    const candidates = await differences(target, shorter, best.way);
    const found = candidates.find((candidate) => isSame(candidate, best));
    if (found === undefined) return best;
    best = found;
  }
}

function isSame(candidate, best) {
  if (candidate === null) return false;
  return (
    kinds(candidate.ours) === kinds(best.ours) && kinds(candidate.theirs) === kinds(best.theirs)
  );
}

/** One line for all differences that look alike. */
export function signature({ step, ours, theirs }) {
  return `${stepText(step)} | ours: ${kinds(ours)} | linux: ${kinds(theirs)}`;
}

function stepText(step) {
  if (step.program !== undefined) return `program ${step.program}`;
  const place = ([base, by]) => `${base}${by < 0 ? by : by > 0 ? `+${by}` : ''}`;
  const parts = [step.flags || '(no flags)', `seq ${place(step.seq)}`, `length ${step.length}`];
  if (step.flags.includes('ACK')) parts.push(`ack ${place(step.ack)}`);
  if (step.options !== 'usual') parts.push(`<${step.options}>`);
  if (step.urgent !== undefined) parts.push(`urgent ${step.urgent}`);
  if (step.window !== undefined) parts.push(`window ${step.window}`);
  return parts.join(' ');
}

/** The sequence up to the difference, with what came back. */
export function readable({ steps, at, ours, theirs, heard, way }) {
  const lines = steps.slice(0, at + 1).flatMap((step, index) => {
    const sign = step.program === undefined ? '<' : ' ';
    const answers =
      index === at ? [`  > ours:  ${ours}`, `  > linux: ${theirs}`] : [`  > ${heard[index]}`];
    return [`${sign} ${stepText(step)}`, ...answers];
  });
  return [`the target is a ${way.role} over IPv${way.version}`, ...lines].join('\n');
}

/** Sequences `from` to `to` of `seed`, for a target of this role. */
export function sequences(seed, from, to, role) {
  return Array.from({ length: to - from }, (_, index) => sequence(seed, from + index, role));
}
