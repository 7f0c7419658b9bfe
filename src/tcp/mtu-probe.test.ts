import assert from 'node:assert/strict';
import test from 'node:test';
import { Address } from '../base/address.ts';
import type { Faults } from '../link/faulty-path.ts';
import { type Network, simulate } from '../testing/network.ts';
import { serve, type Transfer, transfer } from '../testing/programs.ts';
import { TcpPeer } from '../testing/tcp-peer.ts';
import { ACK } from '../wire/tcp.ts';
import type { TcpOptions } from './options.ts';
import type { TcpSocket } from './socket.ts';

/** IP and TCP headers, timestamps. */
const headers = (version: 4 | 6): number => (version === 4 ? 20 : 40) + 20 + 12;

interface Outcome {
  /** Payload of a segment at the end. */
  mss: number;
  stats: Record<string, number>;
  seconds: number;
  tooLong: number;
}

/** `bytes` from one host to another over a wire that drops what is longer than `mtu`. */
function send(
  version: 4 | 6,
  bytes: number,
  there: Faults,
  tcp: Partial<TcpOptions> = {},
  segmentBytes = 0,
): Outcome {
  const outcome: Outcome = { mss: 0, stats: {}, seconds: 0, tooLong: 0 };
  simulate({ seed: 7 }, (network: Network) => {
    const a = network.addHost('a', { tcp });
    // A small window makes it take seconds.
    const b = network.addHost('b', { tcp: { receiveBufferBytes: 32_768 } });
    const ends = ['10.0.0.1/24 fd00::1/64', '10.0.0.2/24 fd00::2/64'] as const;
    const cuts = segmentBytes > 0 ? { segmentBytes } : {};
    const wire = network.join(a, ends[0], b, ends[1], { there, back: { delay: 10_000 }, ...cuts });
    const data = network.random.bytes(bytes);
    let server: Transfer | null = null;
    serve(b, 7, (socket) => {
      server = transfer(socket, new Uint8Array(0));
    });
    const address = Address.parse(version === 4 ? '10.0.0.2' : 'fd00::2');
    const socket: TcpSocket = a.stack.tcp.connect({ address, port: 7 });
    const client = transfer(socket, data);
    network.run(() => {
      if (socket.connection !== null) outcome.mss = socket.connection.mss;
      return client.closed && (server?.closed ?? false);
    });
    assert.equal(socket.error, '');
    assert.deepEqual((server as Transfer | null)?.received, data);
    outcome.stats = a.stack.report().tcp;
    outcome.seconds = network.clock.now() / 1e6;
    outcome.tooLong = wire.faults.sent.tooLong;
  });
  return outcome;
}

for (const version of [4, 6] as const) {
  test(`a black hole is found, and without recoveries the largest size that passes (IPv${version})`, () => {
    const { mss, stats, tooLong } = send(version, 10_000_000, { mtu: 1400, delay: 10_000 });
    const best = 1400 - headers(version);
    assert.ok(mss <= best && mss > best - 8, `${mss} of ${best}`);
    assert.ok(tooLong > 3, 'the wire did drop');
    assert.equal(stats['tcp_black_holes'], 1);
    assert.ok(stats['tcp_mtu_probes_arrived']! >= 1);
    // A lost probe is no sign of congestion.
    assert.ok(stats['tcp_mtu_probes_lost']! >= 2, `${stats['tcp_mtu_probes_lost']}`);
    assert.equal(stats['tcp_fast_recoveries'], undefined);
    assert.equal(stats['tcp_timeouts'], 3, 'those before the black hole was found');
  });

  test(`a search from the start ends at the path's size without a timeout (IPv${version})`, () => {
    const options = { mtuProbing: 'always' } as const;
    const { mss, stats } = send(version, 3_000_000, { delay: 10_000 }, options);
    assert.equal(mss, 1500 - headers(version));
    assert.equal(stats['tcp_timeouts'], undefined);
    assert.equal(stats['tcp_mtu_probes_lost'], undefined);
  });
}

test('a black hole on a link that cuts segments itself', () => {
  const { mss } = send(4, 10_000_000, { mtu: 1400, delay: 10_000 }, {}, 60_000);
  const best = 1400 - headers(4);
  assert.ok(mss <= best && mss > best - 8, `${mss} of ${best}`);
});

test('a path that takes less than 576 bytes is got through all the same', () => {
  const { mss, stats } = send(4, 100_000, { mtu: 400, delay: 10_000 });
  assert.ok(mss <= 400 - headers(4), `${mss}`);
  assert.equal(stats['tcp_black_holes'], 3);
});

test('loss that has nothing to do with size is not taken for a black hole', () => {
  const { mss, stats } = send(4, 500_000, { loss: 0.05, delay: 10_000 });
  assert.equal(mss, 1448);
  assert.equal(stats['tcp_black_holes'], undefined);
});

const FULL = 1460;

/** An established connection of 1,460-byte segments with SACK, `segments` of them in flight. */
function inFlight(segments: number, tcp: Partial<TcpOptions> = {}): TcpPeer {
  const peer = TcpPeer.established({ mss: FULL, sack: true, rttMs: 20, tcp });
  peer.write('x'.repeat(segments * FULL));
  peer.sent.splice(0);
  return peer;
}

test('a peer that was only away gets full segments again after one probe', () => {
  const tcp = inFlight(4);
  tcp.after(1700);
  assert.equal(tcp.sent.at(-1)!.data.length, 1024, 'smaller after the third timeout');
  tcp.after(1100);
  tcp.gets({ flags: ACK, ack: tcp.ours(4 * FULL) });
  tcp.sent.splice(0);
  let acked = 4 * FULL;
  const sizes: number[] = [];
  for (let round = 0; round < 6; round++) {
    tcp.write('y'.repeat(20 * FULL));
    tcp.after(20);
    for (const { data } of tcp.sent.splice(0)) {
      sizes.push(data.length);
      acked += data.length;
    }
    tcp.gets({ flags: ACK, ack: tcp.ours(acked) });
  }
  assert.equal(sizes.filter((size) => size > 1024)[0], FULL);
  assert.equal(tcp.socket!.connection!.mss, FULL);
  assert.equal(tcp.socket!.connection!.probing, null, 'nothing left to search');
  assert.equal(tcp.stack.report().tcp['tcp_mtu_probes'], 1);
});

test('no probe is larger than what the program chose to be the most', () => {
  const tcp = inFlight(6);
  tcp.socket!.options.maxSegment = 1200;
  tcp.getsIcmp(3, 4, tcp.ours(0), 1000);
  tcp.gets({ flags: ACK, ack: tcp.ours(6 * FULL) });
  tcp.leap(601_000);
  tcp.sent.splice(0);
  tcp.write('z'.repeat(10 * FULL));
  assert.equal(tcp.sent[0]!.data.length, 1200, 'the probe');
});

test('small segments that do not arrive say nothing about sizes', () => {
  const tcp = TcpPeer.established({ mss: FULL, sack: true });
  tcp.write('hello');
  tcp.after(10_000);
  assert.equal(tcp.socket!.connection!.mss, FULL);
  assert.equal(tcp.stack.report().tcp['tcp_black_holes'], undefined);
});

test('never means never', () => {
  const tcp = inFlight(4, { mtuProbing: 'never' });
  tcp.after(10_000);
  assert.equal(tcp.socket!.connection!.mss, FULL);
});

test('what a router refuses is repeated in pieces, and the window stays', () => {
  const tcp = inFlight(6);
  const { cwnd } = tcp.socket!.connection!;
  tcp.getsIcmp(3, 4, tcp.ours(0), 1000);
  assert.equal(tcp.sent[0]!.data.length, 960);
  assert.equal(tcp.sent[0]!.seq, tcp.ours(0));
  tcp.sent.splice(0);
  tcp.after(20);
  tcp.gets({ flags: ACK, ack: tcp.ours(0), sack: [[tcp.ours(960), tcp.ours(4 * 960)]] });
  tcp.after(20);
  tcp.gets({ flags: ACK, ack: tcp.ours(6 * FULL) });
  assert.equal(tcp.stack.report().tcp['tcp_fast_recoveries'], undefined);
  assert.ok(tcp.socket!.connection!.cwnd >= cwnd);
});

test('ten minutes after a router refused a size it is tried again', () => {
  const tcp = inFlight(6);
  tcp.getsIcmp(3, 4, tcp.ours(0), 1000);
  tcp.gets({ flags: ACK, ack: tcp.ours(6 * FULL) });
  tcp.leap(601_000);
  tcp.sent.splice(0);
  tcp.write('z'.repeat(10 * FULL));
  assert.equal(tcp.sent[0]!.data.length, FULL, 'the probe');
  assert.equal(tcp.sent[1]!.data.length, 960);
});

test('an ICMP message that is older than what is in flight changes nothing (RFC 5927)', () => {
  const tcp = inFlight(6);
  tcp.gets({ flags: ACK, ack: tcp.ours(6 * FULL) });
  tcp.getsIcmp(3, 4, tcp.ours(0), 1000);
  assert.equal(tcp.socket!.connection!.mss, FULL);
  assert.equal(tcp.socket!.connection!.probing, null);
});
