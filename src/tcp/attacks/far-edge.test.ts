/**
 * One byte at the far edge of the window: what came early lies where it belongs, so a byte could
 * take a buffer as large as the window, and a thousand peers all memory.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { PEER_ISN, TcpPeer } from '../../testing/tcp-peer.ts';
import { ACK, SYN } from '../../wire/tcp.ts';

const CONNECTIONS = 1000;
const FAR = 60_000;

/** Opens a connection from `port` and sends one byte `offset` ahead of what is due. */
function strike(tcp: TcpPeer, port: number, offset: number): void {
  tcp.gets({ flags: SYN, srcPort: port, seq: PEER_ISN, mss: 1460 });
  tcp.sends({ flags: SYN | ACK });
  tcp.gets({ flags: ACK, srcPort: port });
  tcp.listener!.accept();
  tcp.gets({ flags: ACK, srcPort: port, seq: tcp.theirs(offset), data: 'x' });
  tcp.sent.length = 0;
}

function struck(): TcpPeer {
  const tcp = TcpPeer.listening();
  for (let i = 0; i < CONNECTIONS; i++) strike(tcp, 10_000 + i, FAR);
  return tcp;
}

test('a thousand single bytes at the far edge of the window take a quarter of the memory', () => {
  const tcp = struck();
  const { heap } = tcp.stack;
  assert.equal(tcp.stack.tcp.memory.pressure, 0);
  assert.ok(heap.live <= heap.budget >> 2, `${heap.live} of ${heap.budget}`);
  assert.ok(tcp.stack.report().drops['tcp_no_buffer']! > CONNECTIONS / 2);
});

test('meanwhile data in order is taken, and data behind a small hole', () => {
  const tcp = struck();
  strike(tcp, 9000, 2920);
  tcp.srcPort = 9000;
  tcp.gets({ flags: ACK, data: 'y'.repeat(1460) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(1460), data: 'z'.repeat(1460) });
  assert.equal(tcp.sent.at(-1)!.ack, tcp.theirs(2921), 'the byte was kept');
});

test('what came really makes room for more of it', () => {
  const tcp = struck();
  strike(tcp, 9000, 1460);
  tcp.srcPort = 9000;
  for (let at = 1461; at < 60_000; at += 1460) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: 'y'.repeat(1460) });
  }
  tcp.sent.length = 0;
  tcp.gets({ flags: ACK, data: 'z'.repeat(1460) });
  assert.ok(tcp.sent.at(-1)!.ack - tcp.theirs(0) >= 60_000);
});
