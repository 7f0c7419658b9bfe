import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as Build from '../../testing/packet.ts';
import { HOST, HOST_MAC, Host, PEER, PEER_MAC } from '../harness.test.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../path.ts';
import { type IcmpError, UNREACHABLE_HOST } from '../transport.ts';
import { DELAY, FAILED, PROBE, REACHABLE, STALE, VERIFY } from './neighbor.ts';

const UDP = 17;
const TX_UDP_SUM = 4;

/** Words of 10.0.0.x. */
const lan = (x: number): number => 0x0a000000 | x;

function pathTo(host: Host, x: number): Path {
  const path = host.net.paths.acquire(0, 0, 0xffff, lan(x), 0, 0, 0, 0);
  assert.ok(path !== null);
  return path;
}

/** Sends an empty UDP datagram from port 1000 to 2000. */
function sendOne(host: Host, path: Path): void {
  const at = host.net.egress.begin(path);
  const { view } = host.arena;
  view.setUint16(at, 1000);
  view.setUint16(at + 2, 2000);
  view.setInt32(at + 4, 8 << 16);
  host.net.egress.commit(path, at, 8, TX_UDP_SUM, 8, 0, 0);
}

const answer = Build.arp({
  operation: 'reply',
  senderIp: PEER,
  targetIp: HOST,
  targetMac: HOST_MAC,
});

test('an address is asked for three times, a second apart, then its packets are given up', () => {
  const host = new Host();
  const failures: [number, number, number][] = [];
  host.net.register(UDP, {
    receive: (_packet: Packet) => assert.fail('nothing was sent to us'),
    failed: (error: IcmpError) =>
      failures.push([error.kind, error.remote3, host.arena.view.getUint16(error.at + 2)]),
  });
  const path = pathTo(host, 77);
  sendOne(host, path);
  sendOne(host, path);
  assert.equal(host.sent().length, 1);
  assert.equal(host.advance(999).length, 0);
  assert.equal(host.advance(1).length, 1);
  assert.equal(host.advance(1000).length, 1);
  assert.deepEqual(failures, []);
  assert.equal(host.advance(1000).length, 0);
  assert.deepEqual(failures, [
    [UNREACHABLE_HOST, lan(77), 2000],
    [UNREACHABLE_HOST, lan(77), 2000],
  ]);
  assert.equal(path.neighbor?.state, FAILED);
  assert.equal(host.dropped()['neighbor_unreachable'], 2);
  assert.equal(host.net.hasTick, 0);
});

test('an unreachable address is asked for at most once a second, however much is sent', () => {
  const host = new Host();
  const path = pathTo(host, 77);
  let requests = 0;
  for (let ms = 0; ms < 20_000; ms += 100) {
    sendOne(host, path);
    requests += host.sent().length + host.advance(100).length;
  }
  assert.ok(requests >= 15 && requests <= 21, `${requests} requests in 20 s`);
});

test('the queue of a neighbor is bounded; the oldest packet makes room', () => {
  const host = new Host({ limits: { waiting: 4 } });
  const path = pathTo(host, 1);
  for (let i = 0; i < 7; i++) sendOne(host, path);
  host.sent();
  assert.equal(host.gets(answer).length, 4);
  assert.equal(host.dropped()['neighbor_queue_full'], 3);
});

test('REACHABLE ages, is used as STALE, waits for 5 s and is probed at its own MAC', () => {
  const host = new Host();
  const path = pathTo(host, 1);
  sendOne(host, path);
  host.sent();
  host.gets(answer);
  const neighbor = path.neighbor!;
  assert.equal(neighbor.state, REACHABLE);
  host.advance(host.net.neighbors.reachableMs);
  sendOne(host, path);
  assert.equal(host.sent()[0]?.ethernet.dst, PEER_MAC);
  assert.equal(neighbor.state, DELAY);
  const probes = host.advance(5000);
  assert.equal(neighbor.state, PROBE);
  assert.deepEqual(
    probes.map((frame) => [frame.arp?.operation, frame.ethernet.dst]),
    [['request', PEER_MAC]],
  );
  host.gets(answer);
  assert.equal(neighbor.state, REACHABLE);
  assert.deepEqual(host.advance(60_000), []);
});

test('probes without an answer lead to asking everybody again', () => {
  const host = new Host().knowsPeer();
  const path = pathTo(host, 1);
  assert.equal(path.neighbor?.state, STALE);
  sendOne(host, path);
  host.sent();
  assert.equal(host.advance(8000).length, 3);
  assert.equal(path.neighbor?.state, FAILED);
  host.advance(1000);
  sendOne(host, path);
  assert.equal(host.sent()[0]?.ethernet.dst, 'ff:ff:ff:ff:ff:ff');
});

test('confirm() spares the probe', () => {
  const host = new Host().knowsPeer();
  const path = pathTo(host, 1);
  sendOne(host, path);
  host.sent();
  assert.equal(path.neighbor?.state, DELAY);
  host.advance(3000);
  path.neighbor?.confirm(host.clock.ms);
  assert.deepEqual(host.advance(60_000), []);
  assert.equal(path.neighbor?.state, REACHABLE);
});

const BROADCAST = 'ff:ff:ff:ff:ff:ff';

/** Somebody else tells everybody that the peer's address is his. */
const claim = (last = 0x66): Uint8Array =>
  Build.arp({
    operation: 'request',
    senderIp: PEER,
    targetIp: PEER,
    senderMac: `02:00:00:00:00:${last.toString(16)}`,
  });

/** A host with a packet on its way to the peer, which has just answered. */
function reachable(): [Host, Path] {
  const host = new Host();
  const path = pathTo(host, 1);
  sendOne(host, path);
  host.sent();
  host.gets(answer);
  assert.equal(path.neighbor?.state, REACHABLE);
  return [host, path];
}

/** Where the frames go: requests and packets. */
function destinations(frames: ReturnType<Host['sent']>): string[] {
  return frames.map(({ arp, ethernet }) => `${arp?.operation ?? 'packet'} ${ethernet.dst}`);
}

test('however many announcements contradict each other, one question a second is asked', () => {
  const [host, path] = reachable();
  const times: number[] = [];
  for (let ms = 0; ms < 3500; ms += 100) {
    for (const act of [() => host.gets(claim(), claim(0x67)), () => host.advance(100)]) {
      const frames = act();
      if (frames.length === 0) continue;
      assert.deepEqual(destinations(frames), [`request ${BROADCAST}`]);
      times.push(host.clock.ms);
      host.gets(answer);
    }
  }
  assert.deepEqual(
    times.map((time) => time - times[0]!),
    [0, 1000, 2000, 3000],
  );
  sendOne(host, path);
  assert.deepEqual(destinations(host.sent()), [`packet ${PEER_MAC}`]);
});

test('an answer counts only when there was a question', () => {
  const [host, path] = reachable();
  assert.equal(host.gets(claim()).length, 1);
  host.gets(answer, claim());
  assert.equal(path.neighbor?.state, VERIFY, 'the next question is not due yet');
  const thief = { senderMac: '02:00:00:00:00:66', targetMac: HOST_MAC };
  host.gets(Build.arp({ operation: 'reply', senderIp: PEER, targetIp: HOST, ...thief }));
  sendOne(host, path);
  assert.deepEqual(destinations(host.sent()), [`packet ${PEER_MAC}`]);
});

test('an idle neighbor that is contradicted is verified when something is sent to it', () => {
  const host = new Host().knowsPeer();
  const path = pathTo(host, 1);
  assert.deepEqual(host.gets(claim()), []);
  assert.equal(path.neighbor?.state, STALE);
  sendOne(host, path);
  assert.deepEqual(destinations(host.sent()), [`request ${BROADCAST}`]);
  const moved = { senderMac: '02:00:00:00:00:66', targetMac: HOST_MAC };
  const now = Build.arp({ operation: 'reply', senderIp: PEER, targetIp: HOST, ...moved });
  assert.deepEqual(destinations(host.gets(now)), ['packet 02:00:00:00:00:66']);
});

test('a verification that nobody answers is given up after three questions', () => {
  const [host, path] = reachable();
  assert.equal(host.gets(claim()).length, 1);
  sendOne(host, path);
  assert.equal(host.sent()[0]?.ethernet.dst, PEER_MAC, 'the known MAC is used meanwhile');
  assert.deepEqual(destinations(host.advance(5000)), [
    `request ${BROADCAST}`,
    `request ${BROADCAST}`,
  ]);
  assert.equal(path.neighbor?.state, FAILED);
});

test('confirm() ends a verification', () => {
  const [host, path] = reachable();
  assert.equal(host.gets(claim()).length, 1);
  path.neighbor?.confirm(host.clock.ms);
  assert.deepEqual(host.advance(60_000), []);
  assert.equal(path.neighbor?.state, REACHABLE);
});

test('a packet that waits for a verification goes out when confirm() ends it', () => {
  const [host, path] = reachable();
  host.advance(1000);
  path.neighbor?.suspect(host.clock.ms);
  sendOne(host, path);
  sendOne(host, path);
  assert.deepEqual(destinations(host.sent()), [`request ${BROADCAST}`, `packet ${PEER_MAC}`]);
  path.neighbor?.confirm(host.clock.ms);
  assert.deepEqual(destinations(host.advance(1000)), [`packet ${PEER_MAC}`]);
  assert.equal(path.neighbor?.state, REACHABLE);
  assert.equal(host.net.neighbors.waitingBlocks, 0);
});

test('suspect() makes the next packet ask everybody, whatever the state', () => {
  const [host, path] = reachable();
  const neighbor = path.neighbor!;
  const asksAll = [`request ${BROADCAST}`];
  const answers = (): string[] => destinations(host.gets(answer));
  const suspectAndSend = (): string[] => {
    neighbor.suspect(host.clock.ms);
    sendOne(host, path);
    return destinations(host.sent());
  };
  host.advance(1000);
  assert.deepEqual(suspectAndSend(), asksAll);
  assert.equal(neighbor.state, VERIFY);
  assert.deepEqual(suspectAndSend(), [`packet ${PEER_MAC}`], 'it is being asked already');
  assert.equal(answers().at(0), `packet ${PEER_MAC}`);
  assert.equal(neighbor.state, REACHABLE);

  host.advance(host.net.neighbors.reachableMs);
  sendOne(host, path);
  host.sent();
  assert.equal(neighbor.state, DELAY);
  assert.deepEqual(suspectAndSend(), asksAll);
  assert.equal(answers().at(0), `packet ${PEER_MAC}`);

  host.advance(host.net.neighbors.reachableMs);
  sendOne(host, path);
  host.sent();
  host.advance(5000);
  assert.equal(neighbor.state, PROBE);
  assert.deepEqual(suspectAndSend(), asksAll);
  assert.equal(neighbor.state, VERIFY);
});

test('suspect() does nothing to a neighbor confirmed just now, static or without a MAC', () => {
  const [host, path] = reachable();
  const neighbor = path.neighbor!;
  host.advance(60);
  neighbor.suspect(host.clock.ms);
  assert.equal(neighbor.state, REACHABLE);
  host.advance(5000);
  neighbor.suspect(host.clock.ms);
  neighbor.confirm(host.clock.ms);
  sendOne(host, path);
  assert.deepEqual(destinations(host.sent()), [`packet ${PEER_MAC}`]);
  assert.equal(neighbor.state, REACHABLE);

  const absent = pathTo(host, 77);
  absent.neighbor!.suspect(host.clock.ms);
  assert.equal(absent.neighbor!.state, FAILED);
  sendOne(host, absent);
  assert.deepEqual(destinations(host.sent()), [`request ${BROADCAST}`]);
  host.net.neighbors.setStatic(host.nic, 0, 0, 0xffff, lan(1), 0x0200, 7);
  host.advance(5000);
  neighbor.suspect(host.clock.ms);
  sendOne(host, path);
  assert.deepEqual(destinations(host.sent()), ['packet 02:00:00:00:00:07']);
});

test('a neighbor suspected again and again is asked for once a second', () => {
  const [host, path] = reachable();
  let requests = 0;
  for (let ms = 0; ms < 10_000; ms += 100) {
    const frames = host.advance(100);
    path.neighbor!.suspect(host.clock.ms);
    sendOne(host, path);
    frames.push(...host.sent());
    if (frames.some(({ arp }) => arp !== undefined)) {
      requests++;
      host.gets(answer);
    }
  }
  assert.ok(requests >= 8 && requests <= 10, `${requests} requests in 10 s`);
});

test('a static neighbor is never asked for and never changes', () => {
  const host = new Host();
  const path = pathTo(host, 1);
  host.net.neighbors.setStatic(host.nic, 0, 0, 0xffff, lan(1), 0x0200, 7);
  sendOne(host, path);
  assert.equal(host.sent()[0]?.ethernet.dst, '02:00:00:00:00:07');
  host.gets(answer, Build.arp({ operation: 'request', senderIp: PEER, targetIp: HOST }));
  host.advance(100_000);
  sendOne(host, path);
  assert.equal(host.sent()[0]?.ethernet.dst, '02:00:00:00:00:07');
});

test('the table is bounded; who was not used for longest is forgotten', () => {
  const host = new Host({ limits: { neighbors: 16, cachedPaths: 4 } });
  const kept = pathTo(host, 1);
  for (let x = 3; x < 250; x++) host.net.paths.release(pathTo(host, x));
  assert.ok(host.net.neighbors.size <= 16);
  assert.equal(host.net.neighbors.find(host.nic, 0, 0, 0xffff, lan(1)), kept.neighbor);
});

test('a table full of neighbors in use refuses, and the refusal is counted', () => {
  const host = new Host({ limits: { neighbors: 16 } });
  for (let x = 3; x < 19; x++) pathTo(host, x);
  assert.equal(host.net.paths.acquire(0, 0, 0xffff, lan(99), 0, 0, 0, 0), null);
  assert.equal(host.dropped()['neighbor_table_full'], 1);
});

test('a sweep over absent neighbors may only fill a quarter of the table with questions', () => {
  const host = new Host({ limits: { neighbors: 64 } });
  for (let x = 100; x < 140; x++) sendOne(host, pathTo(host, x));
  assert.equal(host.sent().length, 16);
  assert.equal(host.dropped()['neighbor_table_full'], 24);
});

test('nothing is left behind when neighbors come and go', () => {
  const host = new Host({ limits: { neighbors: 16, cachedPaths: 2, waitingBlocks: 8 } });
  for (let round = 0; round < 50; round++) {
    const path = pathTo(host, 100 + round);
    sendOne(host, path);
    host.net.paths.release(path);
    host.sent();
    host.advance(500);
  }
  host.advance(10_000);
  const path = pathTo(host, 1);
  for (let i = 0; i < 8; i++) sendOne(host, path);
  host.sent();
  assert.equal(host.gets(answer).length, 8);
  assert.equal(host.net.neighbors.waitingBlocks, 0);
});
