import assert from 'node:assert/strict';
import test from 'node:test';
import { Address } from '../../base/address.ts';
import type { Faults } from '../../link/faulty-path.ts';
import { type Network, simulate } from '../../testing/network.ts';
import { serve, transfer } from '../../testing/programs.ts';
import type { Connection } from '../connection.ts';
import type { BbrModel } from './bbr-model.ts';
import * as Bbr from './bbr-model.ts';
import { RATE_UNIT } from './pacer.ts';

const RTT_MS = 20;
const BITS = 10e6;
/** Bytes per second that the bottleneck lets through, and what it then holds. */
const RATE = BITS / 8;
const PRODUCT = (RATE * RTT_MS) / 1000;

/** What may follow each state; a short visit may go unseen between two looks. */
const NEXT: readonly (readonly number[])[] = [
  [Bbr.DRAIN],
  [Bbr.PROBE_DOWN, Bbr.PROBE_CRUISE],
  [Bbr.PROBE_CRUISE, Bbr.PROBE_REFILL],
  [Bbr.PROBE_REFILL],
  [Bbr.PROBE_UP],
  [Bbr.PROBE_DOWN, Bbr.PROBE_CRUISE],
  [Bbr.PROBE_CRUISE],
];

interface Watched {
  readonly network: Network;
  readonly c: Connection;
  readonly model: BbrModel;
  /** Bytes that the peer's program has. */
  readonly received: () => number;
  /** Runs on; `look` is asked every millisecond. */
  readonly runFor: (ms: number, look?: () => void) => void;
  readonly wireLoss: () => number;
}

/** A connection that sends without end over a bottleneck. */
function watch(there: Faults, body: (watched: Watched) => void): void {
  simulate({ seed: 3, arenaBytes: 64 << 20 }, (network) => {
    const a = network.addHost('a');
    const b = network.addHost('b');
    const delay = RTT_MS * 500;
    const wire = network.join(a, '10.0.0.1/24', b, '10.0.0.2/24', {
      there: { delay, bitsPerSecond: BITS, queueBytes: 3 * PRODUCT, ...there },
      back: { delay },
    });
    let received = () => 0;
    serve(b, 7, (socket) => {
      const state = transfer(socket, new Uint8Array(0));
      received = () => state.received.length;
    });
    const address = Address.parse('10.0.0.2');
    const socket = a.stack.tcp.connect({ address, port: 7, congestion: 'bbr' });
    transfer(socket, new Uint8Array(40 << 20));
    network.runFor(3 * RTT_MS * 1000);
    const c = socket.connection!;
    const runFor = (ms: number, look?: () => void): void => {
      for (let i = 0; i < ms; i++) {
        network.runFor(1000);
        look?.();
      }
    };
    const wireLoss = (): number => wire.faults.sent.lost + wire.faults.sent.overflowed;
    body({ network, c, model: c.pacer!.model!, received: () => received(), runFor, wireLoss });
  });
}

test('the rate of the bottleneck is found and used, and its queue stays short', () => {
  watch({}, ({ c, model, received, runFor }) => {
    runFor(1000);
    const before = received();
    let sum = 0;
    runFor(2000, () => {
      sum += c.srtt >> 3;
    });
    const goodput = (received() - before) / 2;
    assert.ok(goodput > 0.85 * RATE, `${goodput} of ${RATE} bytes/s`);
    const bw = (model.maxBw / RATE_UNIT) * 1000;
    assert.ok(bw > 0.9 * RATE && bw < 1.1 * RATE, `${bw} bytes/s`);
    assert.ok(model.minRtt < (RTT_MS + 3) * 1000, `${model.minRtt} us`);
    assert.ok(sum / 2000 < 1.5 * RTT_MS * 1000, `${sum / 2000} us`);
  });
});

test('Startup, Drain and the cycle of probes follow each other as the draft draws them', () => {
  watch({}, ({ model, runFor }) => {
    const states: number[] = [model.state];
    runFor(6500, () => {
      if (model.state !== states.at(-1)) states.push(model.state);
    });
    for (let i = 1; i < states.length; i++) {
      const [from, to] = [states[i - 1]!, states[i]!];
      assert.ok(to === Bbr.PROBE_RTT || NEXT[from]!.includes(to), `${from} to ${to}`);
    }
    assert.deepEqual(states.slice(0, 2), [Bbr.STARTUP, Bbr.DRAIN]);
    assert.deepEqual([...new Set(states)].sort(), [0, 1, 2, 3, 4, 5, 6]);
  });
});

test('PROBE_RTT halves what is in flight for 200 ms, every five seconds at most', () => {
  watch({}, ({ c, model, runFor }) => {
    let least = Number.POSITIVE_INFINITY;
    let inState = 0;
    runFor(5800, () => {
      if (model.state !== Bbr.PROBE_RTT) return;
      inState++;
      least = Math.min(least, c.pipe);
    });
    assert.ok(inState >= 200 && inState < 400, `${inState} ms`);
    assert.ok(least <= 0.6 * PRODUCT, `${least} of ${PRODUCT} bytes`);
    assert.ok(c.cwnd > PRODUCT);
  });
});

test('losses by chance do not slow it down: two of a hundred', () => {
  watch({ loss: 0.02 }, ({ received, runFor }) => {
    const before = received();
    runFor(3000);
    assert.ok((received() - before) / 3 > 0.75 * RATE, `${(received() - before) / 3} bytes/s`);
  });
});

test('a shallow queue bounds what is in flight', () => {
  watch({ queueBytes: 6000 }, ({ model, runFor, wireLoss }) => {
    runFor(1500);
    const before = wireLoss();
    runFor(2000);
    const segments = (2 * RATE) / 1448;
    assert.ok(wireLoss() - before < 0.03 * segments, `${wireLoss() - before} of ${segments}`);
    assert.ok(model.inflightLongterm < 2 * PRODUCT, `${model.inflightLongterm} of ${PRODUCT}`);
  });
});

test('a timeout starts again with one segment, and what it had comes back', () => {
  watch({}, ({ c, runFor }) => {
    runFor(1000);
    const before = c.cwnd;
    c.congestion.timedOut(c);
    assert.deepEqual([c.cwnd, c.ssthresh], [c.mss, before]);
    runFor(100);
    assert.ok(c.cwnd >= before, `${c.cwnd} of ${before}`);
  });
});
