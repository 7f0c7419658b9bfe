import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  RX_COUNT,
  SLOT_COUNT,
  SLOT_TRANSPORT,
  TX_AT,
  TX_BASE,
  TX_COUNT,
  TX_FLAGS,
  TX_HEADERS,
  TX_IP_SUM,
  TX_IPV6,
  TX_LENGTH,
  TX_MSS,
  TX_SEGMENT,
  TX_SLOT,
  TX_TCP_SUM,
  TX_UDP_SUM,
} from '../link/layout.gen.ts';
import { NO_SLOT } from './egress.ts';
import { Host } from './harness.test.ts';
import type { Path } from './path.ts';
import * as Stats from './stats.ts';

const peer4 = (host: Host): Path => host.net.paths.acquire(0, 0, 0xffff, 0x0a000001, 0, 0, 0, 0)!;
const peer6 = (host: Host): Path => host.net.paths.acquire(0xfd000000 | 0, 0, 0, 1, 0, 0, 0, 0)!;

test('commit() fills a descriptor: where, how long, what the link is to do', () => {
  const host = new Host().knowsPeer();
  const { ring } = host.nic;
  for (const [path, ipHeader, flag] of [
    [peer4(host), 20, TX_IP_SUM],
    [peer6(host), 40, TX_IPV6],
  ] as const) {
    const at = host.net.egress.begin(path);
    host.net.egress.commit(path, at, 5000, TX_TCP_SUM | TX_SEGMENT, 32, 1400, 2);
    const word = (index: number): number => ring[TX_BASE + index]!;
    assert.equal(ring[TX_COUNT], 1);
    assert.equal(word(TX_SLOT), at - SLOT_TRANSPORT);
    assert.equal(word(TX_AT), at - ipHeader - 14);
    assert.equal(word(TX_LENGTH), 5000 + ipHeader + 14);
    assert.equal(word(TX_FLAGS), TX_TCP_SUM | TX_SEGMENT | flag);
    assert.equal(word(TX_HEADERS), 14 | (ipHeader << 8) | (32 << 16));
    assert.equal(word(TX_MSS), 1400);
    ring[TX_COUNT] = 0;
  }
});

test('the headers say what they should', () => {
  const host = new Host().knowsPeer();
  const ids: number[] = [];
  for (const path of [peer4(host), peer4(host), peer6(host)]) {
    const at = host.net.egress.begin(path);
    host.arena.view.setInt32(at, (7 << 16) | 8);
    host.arena.view.setInt32(at + 4, 8 << 16);
    host.net.egress.commit(path, at, 8, TX_UDP_SUM, 8, 0, 1);
    const [frame] = host.sent();
    const { ip, udp } = frame!;
    assert.deepEqual([ip?.hops, ip?.trafficClass, ip?.protocol], [64, 1, 17]);
    assert.deepEqual([ip?.checksumGood, udp?.checksumGood, ip?.dontFragment], [true, true, true]);
    if (ip?.version === 4) ids.push(ip.id);
  }
  assert.equal((ids[0]! + 1) & 0xffff, ids[1]);
});

test('begin() says when there is no slot, abandon() gives one back', () => {
  const host = new Host().knowsPeer();
  const path = peer4(host);
  const { ring } = host.nic;
  const before = ring[SLOT_COUNT]!;
  const at = host.net.egress.begin(path);
  assert.equal(ring[SLOT_COUNT], before - 1);
  host.net.egress.abandon(path, at);
  assert.equal(ring[SLOT_COUNT], before);
  assert.equal(host.net.egress.begin(path), at);
  ring[SLOT_COUNT] = 0;
  assert.equal(host.net.egress.begin(path), NO_SLOT);
  ring[SLOT_COUNT] = 1;
  ring[TX_COUNT] = 128;
  assert.equal(host.net.egress.begin(path), NO_SLOT);
});

test('a commit beyond the last descriptor costs the packet, never the ring', () => {
  const host = new Host().knowsPeer();
  const path = peer4(host);
  const { ring } = host.nic;
  ring[TX_COUNT] = 127;
  const first = host.net.egress.begin(path);
  const second = host.net.egress.begin(path);
  const slots = ring[SLOT_COUNT]!;
  host.net.egress.commit(path, first, 8, 0, 8, 0, 0);
  host.net.egress.commit(path, second, 8, 0, 8, 0, 0);
  assert.deepEqual([ring[TX_COUNT], ring[SLOT_COUNT]], [128, slots + 1]);
  assert.equal(host.dropped()['tx_no_slot'], 1);
  ring[TX_COUNT] = 0;
});

test('frames and bytes are counted on both sides', () => {
  const host = new Host().knowsPeer();
  const path = peer4(host);
  const frames = host.stat(Stats.FRAMES_OUT);
  const bytes = host.stat(Stats.BYTES_OUT);
  host.net.egress.commit(path, host.net.egress.begin(path), 100, 0, 8, 0, 0);
  assert.equal(host.stat(Stats.FRAMES_OUT), frames + 1);
  assert.equal(host.stat(Stats.BYTES_OUT), bytes + 134);
  assert.equal(host.nic.counters[Stats.NIC_FRAMES_OUT], frames + 1);
  assert.equal(host.stat(Stats.FRAMES_IN), host.nic.counters[Stats.NIC_FRAMES_IN]);
  assert.equal(host.nic.ring[RX_COUNT], 0);
});
