/**
 * Mutations of frames for fuzzing that know the structure: lengths, options, flags, fragments,
 * ICMP errors about live flows. Most mutants get right checksums again, so that they come past
 * the first door.
 * @module
 */

import { format, V4_PREFIX } from '../base/address.ts';
import { type FrameLayout, locate, sumsOf } from '../link/locate.ts';
import { SummedArena } from '../link/ones-sum.ts';
import type { Random } from '../link/random.ts';
import { fill } from '../link/software-nic.ts';
import { Arena } from '../storage/arena.ts';
import { bigEndian, concat } from './bytes.ts';
import { icmp, ip } from './packet.ts';

type Mutation = (frame: Uint8Array, random: Random, layout: FrameLayout) => Uint8Array[];

const EDGES = [
  0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 19, 20, 40, 60, 127, 128, 255, 1280, 1500, 0x7fff, 0x8000, 0xfffe,
  0xffff,
];
/** Mutants whose sums stay wrong, of one. */
const LEAVE_SUMS = 0.1;
const SECOND_MUTATION = 0.3;

/** One or several frames made from `frame`, which is left as it is. */
export function mutate(frame: Uint8Array, random: Random): Uint8Array[] {
  const once = mutateOnce(frame, random);
  const all = random.chance(SECOND_MUTATION)
    ? once.flatMap((mutant) => mutateOnce(mutant, random))
    : once;
  return all.map((mutant) => (random.chance(LEAVE_SUMS) ? mutant : repairSums(mutant)));
}

function mutateOnce(frame: Uint8Array, random: Random): Uint8Array[] {
  if (frame.length < 14) return [frame.slice()];
  const layout = locate(
    new DataView(frame.buffer, frame.byteOffset, frame.length),
    0,
    frame.length,
  );
  const { version, protocol, transportAt, end, fragment } = layout;
  const hasTcp = protocol === 6 && !fragment && end - transportAt >= 20;
  const list = version === 0 ? ANY_FRAME : hasTcp ? TCP_FRAMES : IP_FRAMES;
  return random.pick(list)(frame.slice(), random, layout);
}

/** The frame with the checksums its bytes ask for; as it is when it does not parse. */
export function repairSums(frame: Uint8Array): Uint8Array {
  const arena = new Arena(frame.slice().buffer);
  const sums = sumsOf(locate(arena.view, 0, frame.length), 0);
  fill(new SummedArena(arena), 0, sums.flags, sums.headers);
  return arena.bytes;
}

/** An ICMP error, of the frame's family, that quotes its packet. As a router would send it. */
export function icmpQuote(frame: Uint8Array, random: Random): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const layout = locate(view, 0, frame.length);
  if (layout.version === 0) return frame.slice();
  const v6 = layout.version === 6;
  const { src, dst } = endsOf(view, layout);
  const quote = frame.slice(layout.networkAt).slice(0, random.pick([8, 20, 28, 48, 68, 576]));
  const type = v6 ? random.pick([1, 2, 3, 4, 137]) : random.pick([3, 3, 4, 5, 11, 12]);
  const code = random.below(16);
  const rest = bigEndian(random.pick([0, 67, 68, 296, 552, 1279, 1280, 1400, 65535]), 4);
  const router = random.chance(0.5) ? dst : v6 ? 'fd00::fe' : '10.0.0.254';
  return icmp({ src: router, dst: src, type, code, body: concat(rest, quote) });
}

function endsOf(view: DataView, { version, networkAt }: FrameLayout): { src: string; dst: string } {
  const word = (at: number): number => view.getInt32(networkAt + at);
  if (version === 4) {
    const text = (at: number): string => format(0, 0, V4_PREFIX, word(at));
    return { src: text(12), dst: text(16) };
  }
  const text = (at: number): string => format(word(at), word(at + 4), word(at + 8), word(at + 12));
  return { src: text(8), dst: text(24) };
}

const truncate: Mutation = (frame, random) => [frame.slice(0, random.below(frame.length))];

const extend: Mutation = (frame, random) => [concat(frame, random.bytes(random.between(1, 64)))];

const flipBits: Mutation = (frame, random) => {
  for (let i = random.between(1, 8); i > 0; i--) {
    frame[random.below(frame.length)]! ^= 1 << random.below(8);
  }
  return [frame];
};

const flipHeaderBits: Mutation = (frame, random, { transportAt }) => {
  const end = Math.min(transportAt + 20, frame.length);
  for (let i = random.between(1, 3); i > 0; i--) {
    frame[12 + random.below(Math.max(end - 12, 1))]! ^= 1 << random.below(8);
  }
  return [frame];
};

const edgeNumber: Mutation = (frame, random) => {
  const at = 12 + random.below(Math.max(Math.min(frame.length, 80) - 13, 1));
  frame.set(bigEndian(random.pick(EDGES), 2).slice(0, frame.length - at), at);
  return [frame];
};

const lengthField: Mutation = (frame, random, layout) => {
  const { version, networkAt, transportAt, protocol } = layout;
  const fields = version === 4 ? [networkAt + 2] : [networkAt + 4];
  if (protocol === 17 && transportAt + 6 <= frame.length) fields.push(transportAt + 4);
  const at = random.pick(fields);
  const value = random.chance(0.5) ? random.pick(EDGES) : frame.length + random.between(-60, 60);
  frame.set(bigEndian(value & 0xffff, 2), at);
  if (version === 4 && random.chance(0.2)) frame[networkAt] = 0x40 | random.below(16);
  return [frame];
};

const dataOffset: Mutation = (frame, random, { transportAt }) => {
  frame[transportAt + 12] = random.below(256);
  return [frame];
};

const wildFlags: Mutation = (frame, random, { transportAt }) => {
  frame[transportAt + 13] = random.below(256);
  return [frame];
};

const wildNumbers: Mutation = (frame, random, { transportAt }) => {
  const at = transportAt + random.pick([4, 8]);
  const view = new DataView(frame.buffer);
  const before = view.getUint32(at);
  const distance = random.pick([1, -1, 1460, -1460, 65535, -65536, 0x7fffffff, 0x80000000]);
  view.setUint32(at, random.chance(0.3) ? random.next() : before + distance);
  return [frame];
};

const wildWindow: Mutation = (frame, random, { transportAt }) => {
  frame.set(bigEndian(random.pick(EDGES), 2), transportAt + 14);
  frame.set(bigEndian(random.pick(EDGES), 2), transportAt + 18);
  return [frame];
};

/** Known kinds with any length: too short, too long, zero. */
const optionSoup: Mutation = (frame, random, { transportAt, end, networkAt, version }) => {
  const soup = concat(
    ...Array.from({ length: random.between(1, 6) }, () => {
      const kind = random.pick([0, 1, 2, 3, 4, 5, 8, 14, 19, 28, 29, 34, 69, random.below(256)]);
      const body = random.bytes(random.below(12));
      const length = random.chance(0.7) ? body.length + 2 : random.below(256);
      return concat(Uint8Array.of(kind, length), body);
    }),
  ).slice(0, 40);
  const options = concat(soup, new Uint8Array(-soup.length & 3));
  const payloadAt = transportAt + Math.max((frame[transportAt + 12]! >> 4) << 2, 20);
  const mutant = concat(
    frame.slice(0, transportAt + 20),
    options,
    frame.slice(Math.min(payloadAt, end), end),
  );
  mutant[transportAt + 12] = ((20 + options.length) >> 2) << 4;
  const total = mutant.length - networkAt - (version === 6 ? 40 : 0);
  mutant.set(bigEndian(total, 2), networkAt + (version === 6 ? 4 : 2));
  return [mutant];
};

/** Cuts the packet into fragments: complete, overlapping, with a hole, out of order. */
const fragments: Mutation = (frame, random, layout) => {
  const ends = endsOf(new DataView(frame.buffer), layout);
  const transport = frame.slice(layout.transportAt, layout.end);
  const size = 8 * random.between(1, 6);
  const id = random.below(65536);
  const pieces: Uint8Array[] = [];
  for (let offset = 0; offset < transport.length && pieces.length < 12; offset += size) {
    const more = offset + size < transport.length ? 1 : 0;
    const overlap = random.chance(0.1) && offset >= 8 ? 8 : 0;
    const payload = transport.slice(offset - overlap, offset + size);
    pieces.push(fragmentFrame(ends, layout, id, (offset - overlap) | more, payload));
  }
  if (random.chance(0.2)) pieces.splice(random.below(pieces.length), 1);
  if (random.chance(0.3)) pieces.reverse();
  return pieces;
};

/** @param offsetAndFlag in bytes, a multiple of 8, with 1 for "more fragments" */
function fragmentFrame(
  ends: { src: string; dst: string },
  { version, protocol }: FrameLayout,
  id: number,
  offsetAndFlag: number,
  payload: Uint8Array,
): Uint8Array {
  if (version === 6) {
    const bytes = concat(Uint8Array.of(protocol, 0), bigEndian(offsetAndFlag, 2), bigEndian(id, 4));
    return ip({ ...ends, extensions: { first: 44, bytes } }, protocol, payload);
  }
  const frame = ip({ ...ends, id }, protocol, payload);
  frame.set(bigEndian(((offsetAndFlag & 1) << 13) | (offsetAndFlag >> 3), 2), 14 + 6);
  return frame;
}

const swapEnds: Mutation = (frame, random, { networkAt, version }) => {
  const size = version === 4 ? 4 : 16;
  const at = networkAt + (version === 4 ? 12 : 8);
  const src = frame.slice(at, at + size);
  const dst = frame.slice(at + size, at + 2 * size);
  if (random.chance(0.5)) frame.set(dst, at);
  frame.set(random.chance(0.5) ? src : random.bytes(size), at + size);
  return [frame];
};

const quote: Mutation = (frame, random) => [icmpQuote(frame, random)];

const repeat: Mutation = (frame) => [frame, frame.slice(), frame.slice()];

const ANY_FRAME = [truncate, extend, flipBits, edgeNumber, repeat];
const IP_FRAMES = [
  ...ANY_FRAME,
  flipHeaderBits,
  lengthField,
  lengthField,
  fragments,
  swapEnds,
  quote,
];
const TCP_FRAMES = [
  ...IP_FRAMES,
  dataOffset,
  wildFlags,
  wildFlags,
  wildNumbers,
  wildNumbers,
  wildWindow,
  optionSoup,
  optionSoup,
];
