import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ENDED, READABLE } from '../base/events.ts';
import { TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, FIN, RST, URG } from '../wire/tcp.ts';
import { ACK_DELAYED } from './connection.ts';

test('data in order is acknowledged and read', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, data: 'hello' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(5) });
  assert.equal(tcp.socket!.takeEvents(), READABLE);
  assert.equal(tcp.read(), 'hello');
});

test('a burst of segments is acknowledged once, and an answer carries the ACK', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, data: 'ping' });
  tcp.sends({ ack: tcp.theirs(4) });
  assert.equal(tcp.write('pong'), 4);
  tcp.sends({ seq: tcp.ours(0), ack: tcp.theirs(4), data: 'pong' });
  tcp.sendsNothing();
});

test('after the quick start an ACK is delayed, and every second full segment is acknowledged', () => {
  const tcp = TcpPeer.established();
  const full = 'x'.repeat(1460);
  let at = 0;
  for (let i = 0; i < 16; i++) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: full });
    at += 1460;
    tcp.sends({ flags: ACK, ack: tcp.theirs(at) });
    tcp.read();
  }
  tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: full });
  tcp.sendsNothing();
  tcp.after(39);
  tcp.sendsNothing();
  tcp.after(3);
  tcp.sends({ flags: ACK, ack: tcp.theirs(at + 1460) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(at + 1460), data: full });
  tcp.sendsNothing();
  tcp.gets({ flags: ACK, seq: tcp.theirs(at + 2920), data: full });
  tcp.sends({ flags: ACK, ack: tcp.theirs(at + 4380) });
});

test('a connection that ends before the timer of its delayed ACK is set gets none', () => {
  const tcp = TcpPeer.established();
  const c = tcp.stack.tcp.connections[0]!;
  // Within one turn: the ACK of what arrived may wait, and the program ends the connection.
  c.ackDue = ACK_DELAYED;
  tcp.stack.tcp.delayAck(c);
  tcp.socket!.abort();
  tcp.pump();
  tcp.sends({ flags: RST | ACK, seq: tcp.ours(0) });
  assert.equal(c.timers, 0);
  tcp.after(100);
  tcp.sendsNothing();
});

test('out-of-order data is acknowledged at once and delivered when the hole closes', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, seq: tcp.theirs(5), data: 'world' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(0) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(12), data: 'again' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(0) });
  assert.equal(tcp.socket!.readable, 0);
  tcp.gets({ flags: ACK, seq: tcp.theirs(0), data: 'hello' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(10) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(10), data: ', ' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(17) });
  assert.equal(tcp.read(), 'helloworld, again');
});

test('overlapping and repeated data is delivered once', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, data: 'abcdef' });
  tcp.sends({ ack: tcp.theirs(6) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(0), data: 'abcdef' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(6) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(3), data: 'defghi' });
  tcp.sends({ ack: tcp.theirs(9) });
  assert.equal(tcp.read(), 'abcdefghi');
});

test('data behind a FIN is not taken, whether it came before the FIN or after', () => {
  const before = TcpPeer.established();
  before.gets({ flags: ACK, seq: before.theirs(5), data: 'behind' });
  before.sends({ flags: ACK, ack: before.theirs(0) });
  before.gets({ flags: ACK | FIN, seq: before.theirs(0), data: 'hello' });
  before.sends({ flags: ACK, ack: before.theirs(6) });
  assert.equal(before.read(), 'hello');
  assert.equal(before.state, 'CLOSE-WAIT');

  const after = TcpPeer.established();
  after.gets({ flags: ACK | FIN, seq: after.theirs(5), data: '' });
  after.sends({ flags: ACK, ack: after.theirs(0) });
  after.gets({ flags: ACK, seq: after.theirs(0), data: 'hello and more' });
  after.sends({ flags: ACK, ack: after.theirs(6) });
  assert.equal(after.read(), 'hello');
  assert.equal(after.state, 'CLOSE-WAIT');
});

test('out-of-order bytes survive the growth of the buffer and reads in between', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, seq: tcp.theirs(1000), data: 'b'.repeat(1000) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(9000), data: 'z'.repeat(1000) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(0), data: 'a'.repeat(1000) });
  assert.equal(tcp.read(), 'a'.repeat(1000) + 'b'.repeat(1000));
  for (let at = 2000; at < 9000; at += 1000) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: String(at / 1000).repeat(1000) });
  }
  assert.equal(
    tcp.read(),
    [2, 3, 4, 5, 6, 7, 8].map((n) => String(n).repeat(1000)).join('') + 'z'.repeat(1000),
  );
  tcp.socket!.close();
  assert.equal(tcp.stack.counts().heapBytes, 0);
});

test('what lies beyond the window is cut off or refused', () => {
  const tcp = TcpPeer.established({ tcp: { receiveBufferBytes: 4096 } });
  for (let at = 0; at < 4096; at += 1024) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: 'x'.repeat(1024) });
  }
  const last = tcp.sent.at(-1)!;
  assert.equal(last.ack, tcp.theirs(4096));
  assert.equal(last.window, 0);
  tcp.sent.length = 0;
  tcp.gets({ flags: ACK, seq: tcp.theirs(4096), data: 'y' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(4096), window: 0 });
  assert.equal(tcp.read(), 'x'.repeat(4096));
  tcp.sends({ flags: ACK, ack: tcp.theirs(4096), window: 4096 });
  tcp.sendsNothing();
});

test('a FIN at the edge of a closed window is taken, and the window stays closed', () => {
  const tcp = TcpPeer.established({ tcp: { receiveBufferBytes: 4096 } });
  for (let at = 0; at < 4096; at += 1024) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: 'x'.repeat(1024) });
    tcp.sends({ flags: ACK, ack: tcp.theirs(at + 1024), window: 4096 - at - 1024 });
  }
  tcp.gets({ flags: ACK | FIN, seq: tcp.theirs(4096) });
  tcp.sends({ flags: ACK, ack: tcp.theirs(4097), window: 0 });
  tcp.socket!.shutdown();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN, ack: tcp.theirs(4097), window: 0 });
  assert.equal(tcp.read(), 'x'.repeat(4096));
  assert.equal(tcp.socket!.ended, true);
});

test('a window that opens by little is not announced (silly window avoidance)', () => {
  const tcp = TcpPeer.established({ tcp: { receiveBufferBytes: 8192 } });
  for (let at = 0; at < 8192; at += 1024) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: 'x'.repeat(1024) });
  }
  tcp.sent.length = 0;
  tcp.socket!.read(new Uint8Array(500));
  tcp.pump();
  tcp.sendsNothing();
  tcp.socket!.read(new Uint8Array(4000));
  tcp.pump();
  tcp.sends({ flags: ACK, window: 4500 });
});

/** The right edges, counted from the peer's SYN, of what was sent since the last look. */
function rightEdges(tcp: TcpPeer): number[] {
  const scale = tcp.stack.tcp.windowScale;
  return tcp.sent
    .splice(0)
    .map(({ ack, window }) => ((ack - tcp.theirs(0)) | 0) + (window << scale));
}

/** The bound of receiveBufferBytes, 64 MiB, needs no larger one but for its last 1,024 bytes. */
const MOST_SCALE = 10;

/** A connection with this window scale; its SYN-ACK promised the first 65,535 bytes. */
function scaled(windowScale: number): TcpPeer {
  const tcp = TcpPeer.established({
    windowScale: 2,
    tcp: { receiveBufferBytes: 65535 << windowScale },
  });
  assert.equal(tcp.stack.tcp.windowScale, windowScale);
  tcp.sent.length = 0;
  return tcp;
}

test('the right edge of the window never moves back, from the SYN on, whatever the scale', () => {
  const action = fc.oneof(
    fc.record({ get: fc.integer({ min: 1, max: 1460 }) }),
    fc.record({ read: fc.integer({ min: 1, max: 8000 }) }),
    fc.record({ write: fc.integer({ min: 1, max: 3000 }) }),
  );
  const actions = fc.array(action, { minLength: 20, maxLength: 100 });
  let seen = 0;
  const check = (windowScale: number, steps: { get?: number; read?: number; write?: number }[]) => {
    const tcp = scaled(windowScale);
    let edge = 65535;
    let at = 0;
    let written = 0;
    for (const { get = 0, read = 0, write = 0 } of steps) {
      // Seven eighths of the buffer stay free: else a window of units cannot keep its promise.
      if (tcp.socket!.readable + get > 8000) tcp.socket!.read(new Uint8Array(8000));
      if (read > 0) tcp.socket!.read(new Uint8Array(read));
      if (write > 0) written += tcp.write('w'.repeat(write));
      if (get > 0) {
        const data = 'x'.repeat(get);
        tcp.gets({ flags: ACK, seq: tcp.theirs(at), ack: tcp.ours(written), data });
      }
      at += get;
      tcp.pump();
      for (const right of rightEdges(tcp)) {
        assert.ok(right >= edge, `scale ${windowScale}: the edge moved from ${edge} to ${right}`);
        edge = right;
        seen++;
      }
    }
  };
  fc.assert(fc.property(fc.integer({ min: 0, max: MOST_SCALE }), actions, check), { numRuns: 40 });
  assert.ok(seen > 0);
});

test('a window that full segments close does not move its right edge back', () => {
  const tcp = scaled(7);
  let edge = 65535;
  let at = 0;
  while (at < edge) {
    const data = 'x'.repeat(Math.min(1460, edge - at));
    tcp.gets({ flags: ACK, seq: tcp.theirs(at), data });
    at += data.length;
    for (const right of rightEdges(tcp)) {
      assert.ok(right >= edge, `the edge moved from ${edge} to ${right}`);
      edge = right;
    }
  }
  assert.equal(tcp.socket!.readable, at);
});

test('small segments that nobody reads fill an eighth more than the buffer, not more', () => {
  for (const windowScale of [1, 4, 7, MOST_SCALE]) {
    const tcp = scaled(windowScale);
    let edge = 65535;
    let at = 0;
    for (let i = 0; i < 10_000 && at < edge; i++) {
      const data = 'x'.repeat(Math.min(9, edge - at));
      tcp.gets({ flags: ACK, seq: tcp.theirs(at), data });
      at += data.length;
      for (const right of rightEdges(tcp)) {
        // Rounded down (RFC 7323 2.4): by less than what the scale can say.
        assert.ok(right > edge - (1 << windowScale), `the edge moved from ${edge} to ${right}`);
        edge = Math.max(edge, right);
      }
    }
    assert.equal(at, edge, 'all that was promised is taken, then the window is closed');
    assert.equal(tcp.socket!.readable, at);
    assert.ok(at <= (65536 * 9) / 8, `${at} bytes unread`);
  }
});

test('FIN out of order waits for the data before it', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK | FIN, seq: tcp.theirs(3), data: 'def' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(0) });
  assert.equal(tcp.state, 'ESTABLISHED');
  tcp.gets({ flags: ACK, seq: tcp.theirs(0), data: 'abc' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(7) });
  assert.equal(tcp.state, 'CLOSE-WAIT');
  assert.equal(tcp.socket!.takeEvents(), READABLE | ENDED);
  assert.equal(tcp.socket!.ended, false, 'there is something to read first');
  assert.equal(tcp.read(), 'abcdef');
  assert.ok(tcp.socket!.ended);
});

test('holes are bounded', () => {
  const tcp = TcpPeer.established({ tcp: { maxOutOfOrderRanges: 4 } });
  for (let i = 1; i <= 6; i++) tcp.gets({ flags: ACK, seq: tcp.theirs(i * 10), data: 'x' });
  assert.equal(tcp.stack.report().drops['tcp_too_many_holes'], 2);
});

test('urgent data is delivered in line, whatever the pointer says', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK | URG, data: 'urgent' });
  assert.equal(tcp.read(), 'urgent');
});

test('peek() lends what read() would copy; consume() drops it', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, data: 'abcdef' });
  assert.equal(String.fromCharCode(...tcp.socket!.peek()), 'abcdef');
  tcp.socket!.consume(4);
  assert.equal(tcp.read(), 'ef');
  assert.equal(tcp.socket!.peek().length, 0);
  assert.throws(() => tcp.socket!.consume(1), { code: 'EINVAL' });
});
