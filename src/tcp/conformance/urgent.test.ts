/** RFC 9293 3.8.5 (MUST-30 to 33, MUST-62, MUST-66): urgent data. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { READABLE, URGENT } from '../../base/events.ts';
import { TcpPeer } from '../../testing/tcp-peer.ts';
import { ACK, FIN, PSH, SYN, URG } from '../../wire/tcp.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

test('the program hears of urgent data, and of how much there is to read', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.takeEvents();
  tcp.gets({ flags: ACK | URG, urgent: 3, data: 'abcdef' });
  assert.equal(tcp.socket!.takeEvents(), READABLE | URGENT);
  assert.equal(tcp.socket!.urgent, 3);
  assert.equal(tcp.socket!.read(new Uint8Array(2)), 2);
  assert.equal(tcp.socket!.urgent, 1);
  assert.equal(tcp.socket!.read(new Uint8Array(1)), 1);
  assert.equal(tcp.socket!.urgent, 0, 'the pointer is that of the octet behind the urgent data');
  assert.equal(tcp.read(), 'def', 'urgent data stays in line');
});

test('the program hears again when the urgent pointer advances, and only then', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK | URG, urgent: 3, data: 'abc' });
  tcp.socket!.takeEvents();
  tcp.gets({ flags: ACK | URG, urgent: 3, seq: tcp.theirs(0), data: 'abc' });
  assert.equal(tcp.socket!.takeEvents() & URGENT, 0, 'a repeated segment says nothing new');
  tcp.gets({ flags: ACK | URG, urgent: 1, seq: tcp.theirs(3), data: 'd' });
  assert.equal(tcp.socket!.takeEvents() & URGENT, URGENT);
  assert.equal(tcp.socket!.urgent, 4);
});

test('urgent data may be announced before it arrives, and be longer than the window', () => {
  const tcp = TcpPeer.established({ tcp: { receiveBufferBytes: 4096 } });
  tcp.gets({ flags: ACK | URG, urgent: 60_000 });
  assert.equal(tcp.socket!.urgent, 60_000);
  let read = 0;
  for (let at = 0; at < 70_000; at += 1000) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: 'x'.repeat(1000) });
    read += tcp.read().length;
    assert.equal(tcp.socket!.urgent, Math.max(0, 60_000 - read));
  }
  assert.equal(read, 70_000);
});

test('a closed window does not keep urgent news out', () => {
  const tcp = TcpPeer.established({ tcp: { receiveBufferBytes: 2048 } });
  tcp.gets({ flags: ACK, data: 'x'.repeat(1024) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(1024), data: 'x'.repeat(1024) });
  assert.equal(tcp.sent.at(-1)!.window, 0);
  tcp.gets({ flags: ACK | URG, urgent: 10, seq: tcp.theirs(2048) });
  assert.equal(tcp.socket!.urgent, 2058);
});

test('a pointer that points back, as no sender makes it, says nothing', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, data: 'abc' });
  tcp.socket!.takeEvents();
  tcp.gets({ flags: ACK | URG, urgent: 0, seq: tcp.theirs(3) });
  assert.equal(tcp.socket!.takeEvents() & URGENT, 0);
  assert.equal(tcp.socket!.urgent, 0);
});

test('urgent data that came before accept() is told after it', () => {
  const tcp = TcpPeer.synReceived();
  tcp.gets({ flags: ACK | URG | PSH, urgent: 2, data: 'hi' });
  tcp.socket = tcp.listener!.accept();
  assert.equal(tcp.socket!.takeEvents(), READABLE | URGENT);
  assert.equal(tcp.socket!.urgent, 2);
});

test('urgent data may come with the SYN-ACK', () => {
  const tcp = TcpPeer.synSent();
  tcp.gets({ flags: SYN | ACK | URG, urgent: 4, data: 'now', seq: tcp.theirs(-1) });
  assert.equal(tcp.socket!.urgent, 4 - 1, 'the SYN counts');
});

test('what a program calls urgent goes with URG and the pointer behind its last byte', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.socket!.setNoDelay(true);
  tcp.write('before');
  tcp.sends({ flags: ACK | PSH, urgent: 0, data: 'before' });
  assert.equal(tcp.socket!.writeUrgent(bytes('x'.repeat(1500))), 1500);
  tcp.pump();
  tcp.sends({ flags: ACK | URG, seq: tcp.ours(6), urgent: 1500 });
  tcp.sends({ flags: ACK | URG | PSH, seq: tcp.ours(1006), urgent: 500 });
  tcp.write('after');
  tcp.sends({ flags: ACK | PSH, seq: tcp.ours(1506), urgent: 0, data: 'after' });
});

test('urgent data sent again is urgent again; acknowledged it is forgotten', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.writeUrgent(bytes('now'));
  tcp.pump();
  tcp.sends({ flags: ACK | URG | PSH, urgent: 3 });
  tcp.after(210);
  tcp.sends({ flags: ACK | URG | PSH, seq: tcp.ours(0), urgent: 3 });
  tcp.gets({ flags: ACK, ack: tcp.ours(3) });
  tcp.write('later');
  tcp.sends({ flags: ACK | PSH, urgent: 0 });
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(8) });
  tcp.socket!.close();
  tcp.pump();
  tcp.gets({ flags: ACK, ack: tcp.ours(9), seq: tcp.theirs(1) });
  assert.equal(tcp.stack.counts().connections, 0);
  assert.equal(tcp.stack.tcp.urgentCount, 0, 'nothing is left behind');
});

test('urgent data farther away than 16 bits can say is urgent as far as they can', () => {
  const tcp = TcpPeer.established({ windowScale: 3 });
  tcp.socket!.writeUrgent(new Uint8Array(100_000));
  tcp.pump();
  tcp.sends({ flags: ACK | URG, urgent: 0xffff });
});

test('urgent data is news again after gigabytes without', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK | URG, urgent: 3, data: 'abc' });
  tcp.read();
  // As if two gigabytes had come and been read since.
  const c = tcp.socket!.connection!;
  tcp.socket!.bytesRead += 0x7fff_ff00;
  c.rcvNxt = (c.rcvNxt + 0x7fff_ff00) | 0;
  c.rcvAdv = (c.rcvAdv + 0x7fff_ff00) | 0;
  assert.equal(tcp.socket!.urgent, 0);
  tcp.socket!.takeEvents();
  tcp.gets({ flags: ACK | URG, seq: c.rcvNxt, urgent: 0x200, data: 'x'.repeat(0x300) });
  assert.equal(tcp.socket!.takeEvents() & URGENT, URGENT);
  assert.equal(tcp.socket!.urgent, 0x200);
});
