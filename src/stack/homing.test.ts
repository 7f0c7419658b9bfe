/**
 * A stack that is one of several queues: its outgoing flows take ports whose answers come to it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Address, Prefix } from '../base/address.ts';
import { createPair } from '../link/pair.ts';
import { Random } from '../link/random.ts';
import type { Homing } from '../net/homing.ts';
import { Arena } from '../storage/arena.ts';
import { createStack, type Stack } from './stack.ts';

const PEER = Address.parse('10.0.0.1');
const PEER_PORT = 80;

/** Counts what it is asked; `rule` says which local ports are home. */
class Rule implements Homing {
  asked = 0;
  readonly #rule: (port: number) => boolean;

  constructor(rule: (port: number) => boolean) {
    this.#rule = rule;
  }

  isHome(_path: unknown, localPort: number): boolean {
    this.asked++;
    return this.#rule(localPort);
  }
}

function stackWith(homing: Homing): Stack {
  const arena = Arena.allocate(24 << 20);
  const random = new Random(5);
  const stack = createStack({ arena, heapBytes: 4 << 20, random: () => random.next(), homing });
  stack.attach(createPair(arena)[0], { addresses: [Prefix.parse('10.0.0.2/24')] });
  stack.attachLoopback();
  stack.poll(1e6);
  return stack;
}

test('connections of TCP and UDP take ports that are home, and different ones', () => {
  const homing = new Rule((port) => port % 4 === 3);
  const stack = stackWith(homing);
  const ports = new Set<number>();
  for (let i = 0; i < 200; i++) {
    ports.add(stack.tcp.connect({ address: PEER, port: PEER_PORT }).localPort);
  }
  assert.equal(ports.size, 200);
  assert.ok([...ports].every((port) => port % 4 === 3));
  assert.ok(homing.asked < 200 * 4 * 3, 'about as many tries as there are queues');
  for (let i = 0; i < 50; i++) {
    const socket = stack.udp.open();
    socket.connect(PEER, PEER_PORT);
    assert.equal(socket.localPort % 4, 3);
  }
});

test('a port that the program chose is not questioned, nor is the loopback', () => {
  const homing = new Rule(() => false);
  const stack = stackWith(homing);
  const chosen = { address: PEER, port: PEER_PORT, localPort: 5000 };
  assert.equal(stack.tcp.connect(chosen).localPort, 5000);
  const socket = stack.udp.open();
  socket.bind(null, 6000);
  socket.connect(PEER, PEER_PORT);
  assert.equal(socket.localPort, 6000);
  assert.ok(stack.tcp.connect({ address: Address.parse('127.0.0.1'), port: 1 }).localPort > 0);
  assert.equal(homing.asked, 0);
});

test('where no port is home a connection is refused, and a datagram socket keeps its port', () => {
  const homing = new Rule(() => false);
  const stack = stackWith(homing);
  const connect = (): unknown => stack.tcp.connect({ address: PEER, port: PEER_PORT });
  assert.throws(connect, { code: 'EADDRNOTAVAIL' });
  const socket = stack.udp.open();
  socket.connect(PEER, PEER_PORT);
  assert.ok(socket.localPort >= 49152);
});
