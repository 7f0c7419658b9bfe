import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as Build from '../../testing/packet.ts';
import { advertisement, HOST6, Host, PEER_MAC, PEER6, solicitation } from '../harness.test.ts';

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
const echo = (sequence = 1): Uint8Array => Build.icmpEcho({ src: PEER6, dst: HOST6, sequence });

test('a solicitation for our address is answered with our MAC', () => {
  const host = new Host();
  const [answer, ...more] = host.gets(solicitation());
  assert.equal(more.length, 0);
  assert.deepEqual([answer?.ip?.src, answer?.ip?.dst, answer?.ip?.hops], [HOST6, PEER6, 255]);
  assert.deepEqual([answer?.icmp?.type, answer?.icmp?.checksumGood], [136, true]);
  assert.equal(answer?.ethernet.dst, PEER_MAC);
  // Solicited and override; our address; our MAC in a target link-layer option.
  assert.equal(answer?.payload[0], 0x60);
  assert.deepEqual(answer?.payload.slice(4, 20), Build.addressBytes(HOST6));
  assert.deepEqual([...answer!.payload.slice(20)], [2, 1, 2, 0, 0, 0, 0, 2]);
});

test('whoever solicits us is remembered', () => {
  const host = new Host();
  host.gets(solicitation());
  const [reply, ...more] = host.gets(echo());
  assert.equal(more.length, 0);
  assert.equal(reply?.icmp?.type, 129);
});

test('a unicast solicitation without the option is answered to the MAC it came from', () => {
  const host = new Host();
  const body = Uint8Array.of(0, 0, 0, 0, ...Build.addressBytes(HOST6));
  const [answer] = host.gets(Build.icmp({ src: PEER6, dst: HOST6, hops: 255, type: 135, body }));
  assert.equal(answer?.ethernet.dst, PEER_MAC);
});

test('an address in use is defended against duplicate address detection', () => {
  const host = new Host();
  const body = Uint8Array.of(0, 0, 0, 0, ...Build.addressBytes(HOST6));
  const fields = { src: '::', dst: 'ff02::1:ff00:2', dstMac: '33:33:ff:00:00:02', hops: 255 };
  const [answer] = host.gets(Build.icmp({ ...fields, type: 135, body }));
  assert.deepEqual([answer?.icmp?.type, answer?.ip?.dst], [136, 'ff02::1']);
  assert.equal(host.net.neighbors.size, 0);
});

test('solicitations that fail the checks of RFC 4861 7.1.1 are dropped', () => {
  const host = new Host();
  const body = Uint8Array.of(0, 0, 0, 0, ...Build.addressBytes(HOST6), 1, 0, 2, 0, 0, 0, 0, 1);
  const bad = [
    solicitation({ hops: 254 }),
    solicitation({ target: 'ff02::2' }),
    solicitation({ src: '::' }),
    Build.icmp({ src: PEER6, dst: HOST6, hops: 255, type: 135, code: 1, body: body.slice(0, 20) }),
    Build.icmp({ src: PEER6, dst: HOST6, hops: 255, type: 135, body: body.slice(0, 16) }),
    Build.icmp({ src: PEER6, dst: HOST6, hops: 255, type: 135, body }),
    Build.icmp({ src: PEER6, dst: HOST6, hops: 255, type: 135, body: body.slice(0, 23) }),
  ];
  for (const frame of bad) assert.deepEqual(host.gets(frame), []);
  assert.deepEqual(host.dropped(), { ndp_malformed: bad.length });
});

test('a solicitation for an address that is not ours is not answered', () => {
  const host = new Host();
  assert.deepEqual(host.gets(solicitation({ target: 'fd00::77' })), []);
  assert.deepEqual(host.dropped(), { ndp_not_for_us: 1 });
});

test('what waits for a neighbor goes out when it advertises itself', () => {
  const host = new Host();
  const [ask, ...more] = host.gets(echo());
  assert.equal(more.length, 0);
  assert.equal(ask?.icmp?.type, 135);
  assert.equal(ask?.icmp?.checksumGood, true);
  assert.deepEqual([ask?.ip?.src, ask?.ip?.dst, ask?.ip?.hops], [HOST6, 'ff02::1:ff00:1', 255]);
  assert.equal(ask?.ethernet.dst, '33:33:ff:00:00:01');
  assert.deepEqual([...ask!.payload.slice(20)], [1, 1, 2, 0, 0, 0, 0, 2]);
  const [reply] = host.gets(advertisement(0x60));
  assert.deepEqual([reply?.icmp?.type, reply?.ethernet.dst], [129, PEER_MAC]);
});

test('an advertisement without override does not replace the MAC of a reachable neighbor', () => {
  const host = new Host();
  host.gets(echo());
  host.gets(advertisement(0x60));
  host.advance(2000);
  host.gets(advertisement(0, { mac: 0x66 }));
  assert.equal(host.gets(echo())[0]?.ethernet.dst, PEER_MAC);
  host.gets(advertisement(0x20, { mac: 0x66 }));
  assert.equal(host.gets(echo())[0]?.ethernet.dst, '02:00:00:00:00:66');
});

test('advertisements from strangers, for our address, or solicited to a group are dropped', () => {
  const host = new Host();
  host.gets(advertisement(0x60, { target: 'fd00::9' }));
  host.gets(advertisement(0x60, { target: HOST6 }));
  host.gets(advertisement(0x60, { dst: 'ff02::1', dstMac: '33:33:00:00:00:01' }));
  assert.deepEqual(host.dropped(), { ndp_unsolicited: 1, ndp_conflict: 1, ndp_malformed: 1 });
});

test('a solicitation for our address tells the MAC of who asks, however often it changes', () => {
  const host = new Host();
  for (const mac of [1, 0x21, 0x22]) {
    const body = Uint8Array.of(0, 0, 0, 0, ...Build.addressBytes(HOST6), 1, 1, 2, 0, 0, 0, 0, mac);
    host.gets(Build.icmp({ src: PEER6, dst: HOST6, hops: 255, type: 135, body }));
    assert.equal(host.gets(echo())[0]?.ethernet.dst, `02:00:00:00:00:${hex(mac)}`);
  }
});

test('an announcement that is not believed is verified: everybody is asked at once', () => {
  const host = new Host();
  host.gets(echo());
  host.gets(advertisement(0x60));
  const toAll = { dst: 'ff02::1', dstMac: '33:33:00:00:00:01' };
  const asked = host.gets(advertisement(0x20, { ...toAll, mac: 0x66 }));
  assert.deepEqual(
    asked.map(({ icmp, ip, ethernet }) => [icmp?.type, ip?.dst, ethernet.dst]),
    [[135, 'ff02::1:ff00:1', '33:33:ff:00:00:01']],
  );
  assert.equal(host.gets(echo())[0]?.ethernet.dst, PEER_MAC);
  host.gets(advertisement(0x60, { mac: 0x66 }));
  assert.equal(host.gets(echo())[0]?.ethernet.dst, '02:00:00:00:00:66');
});

test('of several answers to a question (anycast) the first counts, and none asks again', () => {
  const host = new Host();
  host.gets(echo());
  host.gets(advertisement(0x40));
  for (const mac of [2, 3, 4]) assert.deepEqual(host.gets(advertisement(0x40, { mac })), []);
  assert.equal(host.gets(echo())[0]?.ethernet.dst, PEER_MAC);
});
