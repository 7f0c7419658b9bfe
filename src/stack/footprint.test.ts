import assert from 'node:assert/strict';
import { memoryUsage } from 'node:process';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Address, Prefix } from '../base/address.ts';
import { READABLE } from '../base/events.ts';
import { createPair } from '../link/pair.ts';
import { Arena } from '../storage/arena.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { Random } from '../testing/random.ts';
import { createStack, type Stack } from './stack.ts';

/**
 * Connections before the measurement begins, so that code and small tables are there, and after:
 * then tables that double are as full as with a million.
 */
const FEW = 1000;
const MANY = 31_000;
const OPENING = 64;
/** An idle connection, all told: record, rings, socket, and its places in tables. */
const MOST_BYTES = 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

class Crowd {
  readonly stacks: [Stack, Stack];
  opened = 0;
  answered = 0;
  #now = 1000;
  readonly #scratch = new Uint8Array(64);

  constructor() {
    const arena = Arena.allocate(64 << 20);
    const links = createPair(arena);
    const source = new Random(1);
    const random = (): number => source.next();
    this.stacks = links.map((link, i) => {
      const tcp = { maxHalfOpen: MANY, firstEphemeralPort: 1024, lastEphemeralPort: 65_535 };
      const stack = createStack({ arena, heapBytes: 8 << 20, random, tcp });
      stack.attach(link, { addresses: [Prefix.parse(`10.0.0.${i + 1}/24`)] });
      return stack;
    }) as [Stack, Stack];
    this.stacks[1].tcp.listen({ port: 7, backlog: MANY });
  }

  /** Opens connections up to `count`; on each a message goes there and back. */
  grow(count: number): void {
    const [client] = this.stacks;
    const address = Address.parse('10.0.0.2');
    while (this.answered < count) {
      while (this.opened < count && this.opened - this.answered < OPENING) {
        client.tcp.connect({ address, port: 7 }).write(this.#scratch);
        this.opened++;
      }
      this.turn();
    }
  }

  turn(): void {
    this.#now += 10;
    for (const [end, stack] of this.stacks.entries()) {
      stack.poll(this.#now);
      for (let source = stack.nextEvent(); source !== null; source = stack.nextEvent()) {
        const events = source.takeEvents();
        if ('accept' in source) while ((source.accept as () => TcpSocket | null)() !== null);
        else if (events & READABLE) this.#read(source as TcpSocket, end);
      }
    }
  }

  #read(socket: TcpSocket, end: number): void {
    const length = socket.read(this.#scratch);
    if (end === 1) socket.write(this.#scratch, 0, length);
    else this.answered++;
  }

  /** Until every ACK has arrived and every timer has come up. */
  settle(): void {
    for (let i = 0; i < 200; i++) {
      this.#now += 10_000;
      this.turn();
    }
  }
}

/** Kept, so that the last collection finds everything in use. */
const crowds: Crowd[] = [];

test('an established idle connection costs at most 1 KiB, and holds no buffer', () => {
  const crowd = new Crowd();
  crowds.push(crowd);
  crowd.grow(FEW);
  crowd.settle();
  collect();
  const before = memoryUsage();
  crowd.grow(MANY);
  crowd.settle();
  collect();
  const after = memoryUsage();
  for (const stack of crowd.stacks) {
    const { connections, heapBytes, timers } = stack.counts();
    assert.deepEqual(
      { connections, heapBytes, timers },
      { connections: MANY, heapBytes: 0, timers: 0 },
    );
  }
  const grown = after.heapUsed + after.external - before.heapUsed - before.external;
  const each = grown / 2 / (MANY - FEW);
  assert.ok(each > 256 && each <= MOST_BYTES, `${each.toFixed(0)} bytes`);
});
