import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setCurrent } from './current.ts';
import { assertNoLeaks, contents, openLoopback } from './fixture.ts';
import { connect, listen, type StreamHandlers, type TcpStream } from './stream.ts';

const running = openLoopback({ receiveBufferBytes: 128 << 10, sendBufferBytes: 128 << 10 });
setCurrent(running);
after(() => assertNoLeaks(running));

const ECHO: StreamHandlers = {
  data(stream, bytes) {
    if (!stream.write(bytes)) stream.pause();
  },
  drain: (stream) => stream.resume(),
};

type End = NodeJS.ErrnoException | null;

/** Connects, and tells what `handlers` do not: the end. */
function opened(
  options: Parameters<typeof connect>[0],
  handlers: StreamHandlers = {},
): { stream: TcpStream; end: Promise<End> } {
  const { promise, resolve } = withResolvers<End>();
  const stream = connect(options, { ...handlers, close: (_, error) => resolve(error) });
  return { stream, end: promise };
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Collects copies of what is lent. */
function collector(): { data: NonNullable<StreamHandlers['data']>; all(): Buffer } {
  const chunks: Buffer[] = [];
  return {
    data: (_, bytes) => void chunks.push(Buffer.from(bytes)),
    all: () => Buffer.concat(chunks),
  };
}

for (const [host, to] of [
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '::1'],
  [undefined, '127.0.0.1'],
  [undefined, '::1'],
] as const) {
  test(`an echo over ${to} from a listener on ${host ?? 'everything'}`, async () => {
    const listener = listen({ port: 0, ...(host !== undefined && { host }) }, ECHO);
    assert.equal(listener.address, host ?? '::');
    const got = collector();
    let opens = 0;
    const { stream, end } = opened(
      { host: to, port: listener.port },
      { open: () => opens++, data: got.data },
    );
    assert.equal(stream.write('hello '), true);
    stream.end(Buffer.from('world'));
    assert.equal(await end, null);
    assert.equal(`${got.all()}`, 'hello world');
    assert.equal(opens, 1);
    assert.equal(stream.remoteAddress, to);
    assert.equal(stream.remotePort, listener.port);
    assert.equal(stream.localAddress, to);
    listener.close();
  });
}

test('megabytes go to and fro past full buffers, and arrive as they were sent', async () => {
  const listener = listen({ port: 0 }, ECHO);
  const sent = randomBytes(8 << 20);
  const hash = createHash('sha256');
  let refused = 0;
  let at = 0;
  const pump = (stream: TcpStream): void => {
    while (at < sent.length) {
      const chunk = sent.subarray(at, at + 50_000);
      at += chunk.length;
      if (!stream.write(chunk)) {
        refused++;
        return;
      }
    }
    stream.end();
  };
  const { end } = opened(
    { port: listener.port },
    { open: pump, drain: pump, data: (_, bytes) => void hash.update(bytes) },
  );
  assert.equal(await end, null);
  assert.equal(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'));
  assert.ok(refused > 10, `${refused}`);
  listener.close();
});

test('a writer that does not wait is copied, in order', async () => {
  const got = collector();
  const { promise, resolve } = withResolvers<void>();
  const listener = listen({ port: 0 }, { data: got.data, close: () => resolve() });
  const { stream, end } = opened({ port: listener.port });
  const chunk = Buffer.alloc(100_000);
  for (let i = 0; i < 20; i++) stream.write(chunk.fill(i));
  assert.ok(stream.unacknowledged >= 20 * chunk.length);
  assert.equal(stream.writable, 0);
  stream.end('é', 'latin1');
  await Promise.all([end, promise]);
  const expected = [...Array(20).keys()].map((i) => Buffer.alloc(100_000, i));
  assert.ok(got.all().equals(Buffer.concat([...expected, Buffer.from([0xe9])])));
  listener.close();
});

test('a long string is sent whole', async () => {
  const got = collector();
  const { promise, resolve } = withResolvers<void>();
  const listener = listen({ port: 0 }, { data: got.data, close: () => resolve() });
  const text = 'žluťoučký kůň '.repeat(50_000);
  const { stream } = opened({ port: listener.port });
  stream.end(text);
  await promise;
  assert.equal(`${got.all()}`, text);
  listener.close();
});

test('half-close: with an end() of its own the other half goes on', async () => {
  const listener = listen(
    { port: 0 },
    {
      data() {},
      end(stream) {
        stream.write('still ');
        setImmediate(() => stream.end('here'));
      },
    },
  );
  const got = collector();
  const { stream, end } = opened({ port: listener.port }, { data: got.data });
  stream.end();
  assert.equal(await end, null);
  assert.equal(`${got.all()}`, 'still here');
  listener.close();
});

test('pause() holds what comes, read() takes it in pieces, resume() goes on', async () => {
  const accepted = withResolvers<TcpStream>();
  const got = collector();
  const over = withResolvers<End>();
  const listener = listen(
    { port: 0 },
    {
      open(stream) {
        stream.pause();
        accepted.resolve(stream);
      },
      data: got.data,
      close: (_, error) => over.resolve(error),
    },
  );
  const { stream } = opened({ port: listener.port });
  stream.write('0123456789');
  const server = await accepted.promise;
  while (server.readable < 10) await turn();
  assert.equal(server.isPaused, true);
  const part = Buffer.alloc(4);
  assert.equal(server.read(part, 1), 3);
  assert.equal(`${part.subarray(1)}`, '012');
  assert.equal(`${got.all()}`, '');
  server.resume();
  stream.end();
  assert.equal(await over.promise, null);
  assert.equal(`${got.all()}`, '3456789');
  listener.close();
});

test('readable() in place of data(): the program reads for itself', async () => {
  const into = Buffer.alloc(3);
  const parts: string[] = [];
  const over = withResolvers<void>();
  const listener = listen(
    { port: 0 },
    {
      readable(stream) {
        for (let n = stream.read(into); n > 0; n = stream.read(into)) {
          parts.push(`${into.subarray(0, n)}`);
        }
      },
      close: () => over.resolve(),
    },
  );
  opened({ port: listener.port }).stream.end('abcdefgh');
  await over.promise;
  assert.equal(parts.join(''), 'abcdefgh');
  assert.equal(parts[0], 'abc');
  listener.close();
});

test('what is lent stays as it is while the handler runs, whatever it does', async () => {
  const seen = withResolvers<string>();
  const listener = listen(
    { port: 0 },
    {
      data(stream, bytes) {
        stream.write('x'.repeat(200));
        stream.reset();
        assert.equal(stream.read(Buffer.alloc(4)), 0);
        stream.write('y'.repeat(200));
        seen.resolve(`${bytes}`);
      },
    },
  );
  const { stream, end } = opened({ port: listener.port });
  stream.write('lent');
  assert.equal(await seen.promise, 'lent');
  const error = await end;
  assert.deepEqual([error?.code, error?.syscall], ['ECONNRESET', 'read']);
  assert.equal(stream.write('after it is over'), false);
  listener.close();
});

test('errors have the code, syscall, address and port that Node gives them', async () => {
  const listener = listen({ port: 0, host: '127.0.0.1' }, {});
  const { port } = listener;
  const taken = { code: 'EADDRINUSE', syscall: 'listen', address: '127.0.0.1', port };
  assert.throws(() => listen({ port, host: '127.0.0.1' }, {}), taken);
  assert.throws(() => listen({ port: 1, host: '10.9.9.9' }, {}), { code: 'EADDRNOTAVAIL' });
  assert.throws(() => listen({ port: 1, host: 'no address' }, {}), { code: 'EINVAL' });
  listener.close();
  await turn();
  const error = await opened({ port, host: '127.0.0.1' }).end;
  assert.equal(error?.message, `connect ECONNREFUSED 127.0.0.1:${port}`);
  const where = { code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port };
  assert.deepEqual({ ...error, errno: undefined }, { ...where, errno: undefined });
  const unreachable = await opened({ port: 9, host: '203.0.113.1' }).end;
  assert.equal(unreachable?.code, 'ENETUNREACH');
});

test('write() after end() throws, end() twice does not', async () => {
  const listener = listen({ port: 0 }, {});
  const { stream, end } = opened({ port: listener.port });
  stream.end();
  stream.end();
  assert.throws(() => stream.write('x'), { code: 'ERR_STREAM_WRITE_AFTER_END' });
  assert.equal(await end, null);
  listener.close();
});

test('close() at once, before the connection is there', async () => {
  const listener = listen({ port: 0 }, {});
  let opens = 0;
  const { stream, end } = opened({ port: listener.port }, { open: () => opens++ });
  stream.close();
  assert.equal(stream.isOver, true);
  assert.equal(await end, null);
  assert.equal(opens, 0);
  listener.close();
});

test('names are looked up; what is written meanwhile is sent, one that is not known is told', async () => {
  const listener = listen({ port: 0 }, ECHO);
  const got = collector();
  const { stream, end } = opened({ host: 'localhost', port: listener.port }, { data: got.data });
  stream.end('early');
  assert.equal(await end, null);
  assert.equal(`${got.all()}`, 'early');
  listener.close();
  const error = await opened({ host: 'no.such.name.invalid', port: 1 }).end;
  assert.equal(error?.syscall, 'getaddrinfo');
});

test('each connection can have handlers of its own', async () => {
  class Upper implements StreamHandlers {
    #seen = 0;
    data(stream: TcpStream, bytes: Buffer): void {
      this.#seen += bytes.length;
      stream.write(`${this.#seen}:${`${bytes}`.toUpperCase()}`);
    }
  }
  const ownHandlers = (stream: TcpStream): void => {
    stream.handlers = new Upper();
  };
  const listener = listen({ port: 0 }, { open: ownHandlers });
  const answers = await Promise.all(
    ['a', 'bcd'].map(async (text) => {
      const got = collector();
      const { stream, end } = opened({ port: listener.port }, { data: got.data });
      stream.end(text);
      await end;
      return `${got.all()}`;
    }),
  );
  assert.deepEqual(answers, ['1:A', '3:BCD']);
  listener.close();
});

test('data in the SYN, once the peer is known to take it (Fast Open), and urgent data', async () => {
  const got = collector();
  const urgent: number[] = [];
  let left = withResolvers<void>();
  const listener = listen(
    { port: 0, fastOpen: 16, host: '127.0.0.1' },
    {
      data: got.data,
      urgent: (_, bytes) => void urgent.push(bytes),
      close: () => left.resolve(),
    },
  );
  for (const text of ['one ', 'two ', 'three ']) {
    left = withResolvers<void>();
    const options = { port: listener.port, host: '127.0.0.1', fastOpen: Buffer.from(text) };
    const { stream } = opened(options);
    stream.end('and more. ');
    await left.promise;
  }
  assert.equal(`${got.all()}`, 'one and more. two and more. three and more. ');
  left = withResolvers<void>();
  const { stream } = opened({ port: listener.port, host: '127.0.0.1' });
  stream.socket?.writeUrgent(Buffer.from('!'));
  stream.end();
  await left.promise;
  assert.deepEqual(urgent, [1]);
  listener.close();
});

test('what is over or unref-ed holds nothing', async () => {
  const listener = listen({ port: 0 }, {});
  const before = running.loop.holds;
  const { stream, end } = opened({ port: listener.port });
  assert.equal(running.loop.holds, before + 1);
  stream.unref();
  assert.equal(running.loop.holds, before);
  stream.ref();
  stream.end();
  await end;
  listener.close();
});

test('an orderly end is told at once, however long TCP has to wait after it', async () => {
  const patient = openLoopback({ timeWaitMs: 600_000 });
  setCurrent(patient);
  try {
    const listener = listen({ port: 0 }, ECHO);
    const { stream, end } = opened({ port: listener.port }, { data() {} });
    stream.end('x');
    assert.equal(await end, null);
    assert.equal(patient.stack.counts().timeWait, 1);
    listener.close();
  } finally {
    setCurrent(running);
    patient.loop.stop();
  }
});

test('the kernel and Node are left alone: net.Socket connects over the kernel', async () => {
  const server = net.createServer((socket) => socket.end('kernel')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  assert.equal(`${await contents(net.connect(port, '127.0.0.1'))}`, 'kernel');
  const { end } = opened({ port, host: '127.0.0.1' });
  assert.equal((await end)?.code, 'ECONNREFUSED');
  server.close();
});
