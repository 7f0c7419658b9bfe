/**
 * What packetimpact's icmpv4_socket_send_recv and icmpv6_socket_send_recv check: requests from
 * sockets that are bound or not, to one, to a group and to all, and the replies to them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Address } from '../base/address.ts';
import { EventQueue } from '../base/events.ts';
import { HOST, HOST6, Host, PEER, PEER6 } from '../net/harness.test.ts';
import { Heap } from '../storage/heap.ts';
import * as Build from '../testing/packet.ts';
import { Ping } from './ping.ts';

/** Local address or null, destination, and the address that replies. */
const V4: [string | null, string, string][] = [
  [null, PEER, PEER],
  [HOST, PEER, PEER],
  [null, '224.0.0.1', PEER],
  [HOST, '224.0.0.1', PEER],
  [null, '10.0.0.255', PEER],
];
const V6: [string | null, string, string][] = [
  [null, PEER6, PEER6],
  [HOST6, PEER6, PEER6],
  [HOST6, 'ff02::1', PEER6],
];

function exchange(local: string | null, to: string, from: string): void {
  const host = new Host().knowsPeer();
  const heap = new Heap(host.arena, 1 << 20);
  const ping = new Ping(host.net, new EventQueue(), heap);
  host.net.registerEcho(ping);
  const socket = ping.open(local === null ? {} : { localAddress: Address.parse(local) });
  socket.broadcast = true;
  const name = `${local} to ${to}`;
  assert.equal(socket.send(Address.parse(to), 3, Uint8Array.of(1, 2), 0, 2), true, name);
  const [sent] = host.sent();
  assert.deepEqual([sent?.ip?.dst, sent?.icmp?.checksumGood], [to, true], name);
  const dst = from === PEER ? HOST : HOST6;
  assert.equal(sent?.ip?.src, dst, name);
  const reply = { src: from, dst, id: socket.identifier, sequence: 3, reply: true } as const;
  host.gets(Build.icmpEcho({ ...reply, payload: 'ab' }));
  assert.equal(socket.receive(new Uint8Array(8)), 2, name);
  assert.equal(`${socket.fromAddress()}`, from, name);
}

test('IPv4 ping sockets, bound or not, to one, a group and all, get their replies', () => {
  for (const [local, to, from] of V4) exchange(local, to, from);
});

test('IPv6 ping sockets, bound or not, to one and a group, get their replies', () => {
  for (const [local, to, from] of V6) exchange(local, to, from);
});
