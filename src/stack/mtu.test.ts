import assert from 'node:assert/strict';
import test from 'node:test';
import { Address, Prefix } from '../base/address.ts';
import { LINK_MTU } from '../link/layout.gen.ts';
import { createPair } from '../link/pair.ts';
import { Arena } from '../storage/arena.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { createStack, type Stack } from './stack.ts';

/** TCP and IPv4 headers with timestamps. */
const HEADERS = 20 + 20 + 12;

class Two {
  readonly a: Stack;
  readonly b: Stack;
  #now = 1_000_000;
  readonly #accept: () => TcpSocket | null;

  constructor() {
    const arena = Arena.allocate(64 << 20);
    const links = createPair(arena, { mtu: 9000, segmentBytes: 0 });
    const [a, b] = links.map((link, index) => {
      link.ring[LINK_MTU] = 9000;
      const stack = createStack({ arena, heapBytes: 8 << 20, random: () => (index + 1) * 40_503 });
      stack.attach(link, { addresses: [Prefix.parse(`10.0.0.${index + 1}/24`)] });
      return stack;
    });
    this.a = a!;
    this.b = b!;
    const listener = this.b.tcp.listen({ address: null, port: 7, backlog: 8 });
    this.#accept = () => listener.accept();
  }

  /** Both devices have another MTU. */
  setMtu(mtu: number): void {
    for (const stack of [this.a, this.b]) stack.net.nics[0]!.ring[LINK_MTU] = mtu;
    this.run();
  }

  run(turns = 400): void {
    for (let turn = 0; turn < turns; turn++) {
      this.#now += 1000;
      this.a.poll(this.#now);
      this.b.poll(this.#now);
    }
  }

  connect(): { client: TcpSocket; server: TcpSocket } {
    const client = this.a.tcp.connect({ address: Address.parse('10.0.0.2'), port: 7 });
    this.run(20);
    return { client, server: this.#accept()! };
  }

  /** Sends that many bytes, which arrive; the payload of a full segment afterwards. */
  transfer({ client, server }: { client: TcpSocket; server: TcpSocket }, bytes: number): number {
    const sent = Uint8Array.from({ length: bytes }, (_, i) => i % 251);
    assert.equal(client.write(sent), bytes);
    const got = new Uint8Array(bytes);
    let length = 0;
    for (let turn = 0; turn < 2000 && length < bytes; turn++) {
      this.run(1);
      length += server.read(got, length);
    }
    assert.deepEqual(got, sent);
    return client.info()!.sendMss;
  }
}

test('an MTU that shrinks: new connections offer less, old ones send less, nothing is lost', () => {
  const two = new Two();
  const old = two.connect();
  assert.equal(two.transfer(old, 50_000), 9000 - HEADERS);
  two.setMtu(1500);
  assert.equal(two.a.net.nics[0]!.mtu, 1500);
  assert.equal(old.client.info()!.pathMtu, 1500);
  assert.equal(two.transfer(old, 50_000), 1500 - HEADERS);
  assert.equal(two.transfer(two.connect(), 50_000), 1500 - HEADERS);
});

test('an MTU that shrinks while segments are under way: they are sent again in smaller pieces', () => {
  const two = new Two();
  const { client, server } = two.connect();
  const bytes = new Uint8Array(60_000).fill(7);
  assert.equal(client.write(bytes), bytes.length);
  two.a.poll(2_000_000);
  two.setMtu(1500);
  const got = new Uint8Array(bytes.length);
  let length = 0;
  for (let turn = 0; turn < 5000 && length < got.length; turn++) {
    two.run(1);
    length += server.read(got, length);
  }
  assert.deepEqual(got, bytes);
  assert.equal(client.info()!.sendMss, 1500 - HEADERS);
});

test('an MTU that grows: paths and new connections have it, old ones stay as they agreed', () => {
  const two = new Two();
  two.setMtu(1500);
  const old = two.connect();
  two.setMtu(9000);
  assert.equal(old.client.info()!.pathMtu, 9000);
  assert.equal(two.transfer(old, 20_000), 1500 - HEADERS);
  assert.equal(two.transfer(two.connect(), 50_000), 9000 - HEADERS);
});

test('what was found out about a path stays when the interface allows more, and gives way to less', () => {
  const two = new Two();
  const { client } = two.connect();
  const { path } = two.a.tcp.connections.find((c) => c.path !== null)!;
  two.a.net.paths.lowerMtu(path!, 4000);
  two.setMtu(6000);
  assert.equal(client.info()!.pathMtu, 4000);
  two.setMtu(1400);
  assert.equal(client.info()!.pathMtu, 1400);
});
