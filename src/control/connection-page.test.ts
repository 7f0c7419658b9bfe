import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { Address } from '../base/address.ts';
import { parseConfig } from '../config/config.ts';
import { openStack } from '../runtime/open-stack.ts';
import { type Board, boardOf } from './board.ts';
import { ConnectionPager, type SortKey, windowsOf } from './connection-page.ts';
import { methodsOf } from './process.ts';
import { StackReporter } from './report.ts';
import { localReporter, type Reporter } from './reporter.ts';

const running = openStack(parseConfig('dpdk.port = "loopback"\nroutes.kernel = []', 'a.toml'));
after(() => running.close());
const { stack, loop } = running;
loop.hold();
stack.tcp.listen({ port: 80 });
const clients = Array.from({ length: 9 }, () =>
  stack.tcp.connect({ address: Address.parse('127.0.0.1'), port: 80 }),
);
while (clients.some(({ stateName }) => stateName !== 'ESTABLISHED')) {
  await new Promise(setImmediate);
}
for (const [i, client] of clients.entries()) client.write(Buffer.alloc(100 * i, 'x'));
loop.wake();
await new Promise(setImmediate);
loop.release();
const all = 2 * clients.length;

test('windows show what a sort of everything would, each stack its part', () => {
  const lists = fc.array(
    fc
      .array(fc.integer({ min: 0, max: 9 }), { maxLength: 20 })
      .map((keys) => Float64Array.from(keys).sort().reverse()),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(lists, fc.nat(30), fc.nat(12), (keys, skip, limit) => {
      const windows = windowsOf(keys, skip, limit);
      const shown = keys.flatMap((list, i) => {
        const { skip: from, limit: count } = windows[i]!;
        return [...list.slice(from, from + count)];
      });
      const whole = keys.flatMap((list) => [...list]).sort((a, b) => b - a);
      assert.deepEqual(
        shown.sort((a, b) => b - a),
        whole.slice(skip, skip + limit),
      );
    }),
  );
});

test('a page has the rows of its window, the most first', () => {
  const pager = new ConnectionPager(stack);
  const page = pager.page({ sort: 'received', skip: 2, limit: 3 }, 0);
  assert.equal(page.total, all);
  assert.deepEqual(
    page.rows.map(({ bytesReceived }) => bytesReceived),
    [600, 500, 400],
  );
  for (const sort of ['rtt', 'cwnd', 'retransmits', 'queued', 'received', 'sent'] as const) {
    const { rows } = new ConnectionPager(stack).page({ sort, limit: 100 }, 0);
    const keys = rows.map(({ key }) => key);
    assert.deepEqual(
      keys,
      [...keys].sort((a, b) => b - a),
      sort,
    );
    assert.equal(rows.length, all);
  }
  assert.throws(
    () => new ConnectionPager(stack).page({ sort: 'name' as SortKey }, 0),
    /not one of/,
  );
});

test('the order is kept for a second, and made again for another filter', () => {
  const pager = new ConnectionPager(stack);
  assert.equal(pager.page({ port: 80 }, 0).total, all);
  assert.equal(pager.page({ port: 81 }, 1).total, 0);
  const total = (now: number): number => pager.page({ port: 80 }, now).total;
  assert.equal(total(10), all);
  const more = stack.tcp.connect({ address: Address.parse('127.0.0.1'), port: 80 });
  assert.equal(total(1009), all);
  assert.equal(total(1010), all + 1);
  more.abort();
});

const place = { port: 'port0', core: -1, numa: -1 };
const reporters: Reporter[] = [0, 1].map((queue) =>
  localReporter(new StackReporter(running, { ...place, queue, worker: queue + 1 })),
);

test('a board of several stacks has a window on all, and one connection in detail', async () => {
  const methods = methodsOf({ title: 'test', reporters: () => reporters });
  const board = await boardOf(reporters, methods, { sort: 'received', skip: 1, limit: 4, slow: 1 });
  assert.equal(board.page.total, 2 * all);
  assert.deepEqual(
    board.page.rows.map(({ bytesReceived, queue }) => [bytesReceived, queue]),
    [
      [800, 1],
      [700, 0],
      [700, 1],
      [600, 0],
    ],
  );
  assert.equal(board.slow?.info.title, 'test');
  assert.match(board.slow?.reasons['udp_no_socket'] ?? '', /^No socket/);
  const { local, localPort, remote, remotePort } = board.page.rows[0]!;
  const detail = `${local} ${localPort} ${remote} ${remotePort}`;
  const again = (await methods['board']!({ detail })) as Board;
  assert.equal(again.detail?.info.bytesReceived, 800);
  assert.equal(again.slow, null);
  const gone = (await methods['board']!({ detail: `${local} 1 ${remote} 2` })) as Board;
  assert.equal(gone.detail, null);
});

test('a filter that is not written to its end is refused, and the rest is told', async () => {
  const methods = methodsOf({ title: 'test', reporters: () => reporters });
  const board = await boardOf(reporters, methods, { address: '10.', limit: 4 });
  assert.notEqual(board.page.refusal, '');
  assert.deepEqual(board.page.rows, []);
  assert.equal(board.stats.length, 2);
});
