/**
 * Our pings, answered by the kernel: both families, whole and in fragments, and its refusal.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Address } from '../../dist/base/address.js';
import { FAILED } from '../../dist/base/events.js';
import { Waiting } from './kit/conversation.mjs';
import './kit/enter.mjs';
import { sh } from './kit/kernel.mjs';
import { NOTHING, Ours, THEIRS } from './kit/ours.mjs';

const ours = new Ours();
after(() => assert.deepEqual(ours.close(), NOTHING));

/** Pings once and gives the socket back with what came for it, payload included. */
async function ping(to, size) {
  const socket = ours.stack.ping.open();
  const waiting = new Waiting(socket, ours.loop);
  const payload = Uint8Array.from({ length: size }, (_, index) => (index * 7) & 0xff);
  const into = new Uint8Array(65_536);
  assert.equal(socket.send(Address.parse(to), 5, payload, 0, size), true);
  const { length } = await waiting.until(() => {
    const count = socket.receive(into);
    return count < 0 ? undefined : { length: count };
  });
  return { socket, waiting, payload, bytes: into.slice(0, length) };
}

for (const family of [4, 6]) {
  for (const size of [56, 1400, 4000]) {
    test(`the kernel answers a ping of ${size} bytes (IPv${family})`, async () => {
      const { socket, payload, bytes } = await ping(THEIRS[family], size);
      assert.deepEqual([socket.fromError, socket.fromSequence], ['', 5]);
      assert.equal(String(socket.fromAddress()), THEIRS[family]);
      assert.equal(socket.fromHops, 64);
      assert.deepEqual(bytes, payload);
      socket.close();
    });
  }
}

test("the kernel's refusal arrives as an error about the request", async () => {
  sh('ip route add unreachable 198.51.100.0/24');
  sh('ip -6 route add unreachable 2001:db8:1::/48');
  sh('sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
  ours.routeAll(THEIRS[4]);
  ours.routeAll(THEIRS[6]);
  for (const to of ['198.51.100.1', '2001:db8:1::1']) {
    const { socket, waiting, bytes } = await ping(to, 56);
    assert.equal(waiting.seen & FAILED, FAILED);
    assert.match(socket.fromError, /^E(HOST|NET)UNREACH$/);
    assert.deepEqual([socket.fromSequence, bytes.length], [5, 0]);
    assert.equal(String(socket.fromAddress()), to);
    socket.close();
  }
});
