/** What gVisor's packetimpact tests of UDP check, where our own tests did not yet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Address } from '../base/address.ts';
import { EventQueue, FAILED } from '../base/events.ts';
import { Random } from '../link/random.ts';
import { HOST, HOST6, Host, PEER, PEER6 } from '../net/harness.test.ts';
import { Heap } from '../storage/heap.ts';
import { concat, toText } from '../testing/bytes.ts';
import * as Build from '../testing/packet.ts';
import { EMPTY, type UdpSocket } from './socket.ts';
import { Udp } from './udp.ts';

const PORT = 53;

class UdpHost extends Host {
  readonly udp: Udp;

  constructor() {
    super();
    const random = new Random(3);
    const heap = new Heap(this.arena, 1 << 20);
    this.udp = new Udp(this.net, new EventQueue(), heap, this.clock, () => random.next());
    this.net.register(17, this.udp);
    this.knowsPeer();
  }

  bound(address: string | null): UdpSocket {
    const socket = this.udp.open();
    socket.bind(address === null ? null : Address.parse(address), PORT);
    return socket;
  }
}

function text(socket: UdpSocket): string | null {
  const into = new Uint8Array(100);
  const length = socket.receive(into);
  return length === EMPTY ? null : toText(into.slice(0, length));
}

for (const [version, host, peer, group] of [
  [4, HOST, PEER, '224.0.0.9'],
  [6, HOST6, PEER6, 'ff02::9'],
] as const) {
  const to = { src: peer, dst: host, srcPort: 4000, dstPort: PORT, payload: 'hello' };

  test(`a datagram from a multicast address is dropped (IPv${version})`, () => {
    const h = new UdpHost();
    const socket = h.bound(null);
    assert.deepEqual(h.gets(Build.udp({ ...to, src: group })), []);
    assert.equal(text(socket), null);
    assert.equal(h.dropped()['ip_martian_source'], 1);
  });

  test(`a socket bound to any address receives what is sent to one (IPv${version})`, () => {
    const h = new UdpHost();
    const socket = h.bound(version === 4 ? '0.0.0.0' : '::');
    h.gets(Build.udp(to));
    assert.equal(text(socket), 'hello');
  });

  test(`only a connected socket hears of "port unreachable", once (IPv${version})`, () => {
    for (const connected of [true, false]) {
      const h = new UdpHost();
      const socket = h.bound(null);
      const address = Address.parse(peer);
      if (connected) socket.connect(address, 4000);
      if (connected) socket.send(Uint8Array.of(1), 0, 1);
      else socket.send(Uint8Array.of(1), 0, 1, address, 4000);
      const quoted = h.sentRaw()[0]!.slice(14);
      const [type, code] = version === 4 ? [3, 3] : [1, 4];
      const body = concat(new Uint8Array(4), quoted);
      h.gets(Build.icmp({ src: peer, dst: host, type: type!, code: code!, body }));
      assert.equal(socket.takeEvents() & FAILED, connected ? FAILED : 0);
      assert.equal(socket.error, connected ? 'ECONNREFUSED' : '');
      h.gets(Build.udp(to));
      assert.equal(text(socket), 'hello', 'it goes on');
    }
  });
}

test('a socket bound to one address does not get what is sent to another, or to all', () => {
  const h = new UdpHost();
  const bound = h.bound(HOST);
  const to = { src: PEER, srcPort: 4000, dstPort: PORT };
  h.gets(Build.udp({ ...to, dst: '10.0.0.255', dstMac: 'ff:ff:ff:ff:ff:ff', payload: 'all' }));
  assert.equal(text(bound), null);
  h.gets(Build.udp({ ...to, dst: HOST, payload: 'one' }));
  assert.equal(text(bound), 'one');
});
