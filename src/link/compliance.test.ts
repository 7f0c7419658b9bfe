import { test } from 'node:test';
import { Arena } from '../storage/arena.ts';
import { allocateSimdArena } from '../storage/simd.ts';
import { type LinkEnds, linkCompliance } from '../testing/link-compliance.ts';
import { captureLink } from './capture.ts';
import { FaultLink } from './fault.ts';
import type { Link } from './link.ts';
import { createLoopback } from './loopback.ts';
import { createPair, type PairOptions } from './pair.ts';
import { traceLink } from './trace.ts';

const now = (): number => 1_000_000;
const pair = (options: PairOptions = {}): LinkEnds => createPair(Arena.allocate(40 << 20), options);
const wrapped = (wrap: (link: Link) => Link, options: PairOptions = {}): LinkEnds => {
  const [a, b] = pair(options);
  return [wrap(a), wrap(b)];
};
const capture = (link: Link): Link => captureLink(link, { to: () => {}, now });
const trace = (link: Link): Link => traceLink(link, { write: () => {} });
const fault = (link: Link): Link => new FaultLink(link, { seed: 1, now });

const links: Record<string, { make: () => LinkEnds; trusted?: boolean }> = {
  pair: { make: () => pair() },
  'pair with SIMD': {
    make: () => createPair(allocateSimdArena(40 << 20), { segmentBytes: 40_000 }),
  },
  'pair with segmentation': { make: () => pair({ segmentBytes: 40_000 }) },
  'trusted pair': { make: () => pair({ wire: 'trusted' }), trusted: true },
  'trusted pair with segmentation': {
    make: () => pair({ wire: 'trusted', segmentBytes: 40_000 }),
    trusted: true,
  },
  'jumbo pair': { make: () => pair({ mtu: 9000 }) },
  loopback: {
    make: () => {
      const link = createLoopback(Arena.allocate(8 << 20));
      return [link, link];
    },
    trusted: true,
  },
  capture: { make: () => wrapped(capture) },
  'capture over trust': { make: () => wrapped(capture, { wire: 'trusted', segmentBytes: 40_000 }) },
  trace: { make: () => wrapped(trace) },
  fault: { make: () => wrapped(fault) },
  'fault with segmentation': { make: () => wrapped(fault, { segmentBytes: 40_000 }) },
  'capture of a faulty link': { make: () => wrapped((link) => capture(fault(link))) },
};

for (const [name, { make, trusted = false }] of Object.entries(links)) {
  for (const compliance of linkCompliance(make, { trusted })) {
    test(`${name}: ${compliance.name}`, compliance.check);
  }
}
