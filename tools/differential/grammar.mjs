/**
 * Sequences of segments and of what the program behind the target does, from a seed: from the
 * handshake through closing, most of it as a peer would, some of it not.
 *
 * A sequence is a list of steps. Numbers are kept as the peer sees them, so the same sequence fits
 * any target: `seq` counts from the next byte the target expects ('rcv') or the end of the window
 * it offers ('edge'), `ack` from the end of what it sent ('all') or the first byte not acknowledged
 * ('una').
 * @module
 */
import { Random } from '../../dist/testing/random.js';

export const DATA = 10;

/** A segment that a peer without fault would send now. */
function segment(fields = {}) {
  return { flags: 'ACK', seq: ['rcv', 0], ack: ['all', 0], length: 0, options: 'usual', ...fields };
}

const SEQUENCES = [
  ['rcv', -1],
  ['rcv', -1],
  ['rcv', 1],
  ['rcv', -DATA],
  ['rcv', DATA],
  ['rcv', 2 * DATA],
  ['rcv', -100_000],
  ['edge', -1],
  ['edge', 0],
  ['edge', 1],
  ['edge', 100_000],
  ['rcv', -5],
];
const ACKS = [
  ['una', 0],
  ['una', -1],
  ['all', 1],
  ['all', -5],
  ['all', 1000],
  ['una', -100_000],
  ['all', 0x40000000],
];
const FLAGS = ['', 'RST', 'RST ACK', 'SYN', 'SYN ACK', 'FIN', 'FIN ACK', 'FIN RST ACK', 'ACK URG'];
const LENGTHS = [0, 1, DATA, 2 * DATA, 600];
const OPTIONS = ['old timestamp', 'sack ahead', 'sack behind', 'unknown'];
/** Here the targets differ on purpose (known.mjs), so what follows would differ by that, too. */
const LAST_OPTIONS = ['none', 'short timestamp', 'zero length'];
const PROGRAM = ['write', 'write', 'shutdown', 'close'];

class Generator {
  #random;

  constructor(seed) {
    this.#random = new Random(seed);
  }

  chance(percent) {
    return (this.#random.next() >>> 0) % 100 < percent;
  }

  of(list) {
    return list[(this.#random.next() >>> 0) % list.length];
  }

  /** The target's SYN, and in most cases the peer's SYN-ACK. */
  answered() {
    const steps = [{ program: 'connect' }];
    if (this.chance(15)) steps.push(this.mutated());
    const options = this.chance(70) ? 'syn' : 'syn without timestamps';
    if (this.chance(93)) steps.push(segment({ flags: 'SYN ACK', options }));
    return steps;
  }

  /** The peer's SYN, and in most cases its ACK of the SYN-ACK. */
  handshake() {
    const timestamps = this.chance(70);
    const syn = { flags: 'SYN', seq: ['rcv', 0], ack: null, length: this.chance(5) ? DATA : 0 };
    const steps = [{ ...syn, options: timestamps ? 'syn' : 'syn without timestamps' }];
    if (this.chance(15)) steps.push(this.mutated());
    if (this.chance(93)) steps.push(segment());
    return steps;
  }

  /** A step as of a peer without fault. */
  orderly() {
    if (this.chance(30)) return { program: this.of(PROGRAM) };
    if (this.chance(15)) return segment({ flags: 'FIN ACK', length: this.of([0, DATA]) });
    return segment({ length: this.of([0, DATA, DATA]) });
  }

  /** One with one or two things wrong. */
  mutated() {
    const wrong = segment({ length: this.of(LENGTHS) });
    for (let changes = this.chance(30) ? 2 : 1; changes > 0; changes--) {
      const what = this.of(['seq', 'seq', 'ack', 'flags', 'flags', 'options']);
      if (what === 'seq') wrong.seq = this.of(SEQUENCES);
      else if (what === 'ack') wrong.ack = this.of(ACKS);
      else if (what === 'flags') wrong.flags = this.of(FLAGS);
      else wrong.options = this.of(OPTIONS);
    }
    if (wrong.flags.includes('URG')) wrong.urgent = this.of([0, 1, DATA, 100]);
    if (this.chance(5)) wrong.window = 0;
    return wrong;
  }

  sequence(role) {
    const steps = role === 'listener' ? this.handshake() : this.answered();
    const length = 1 + ((this.#random.next() >>> 0) % 6);
    for (let i = 0; i < length; i++) steps.push(this.chance(55) ? this.mutated() : this.orderly());
    const last = steps.at(-1);
    if (this.chance(8) && last.options === 'usual') last.options = this.of(LAST_OPTIONS);
    return steps;
  }
}

/** What tells the state that a sequence left: data that is next, then a SYN. */
export const PROBES = [segment({ length: 1 }), segment({ flags: 'SYN ACK' })];

/** Sequence `index` of `seed` for a target that is a 'listener' or a 'connector'. */
export function sequence(seed, index, role) {
  return new Generator((Math.imul(seed, 0x9e3779b1) + index) | 0).sequence(role);
}
