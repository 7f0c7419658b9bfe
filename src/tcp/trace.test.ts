import assert from 'node:assert/strict';
import test from 'node:test';
import { TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, FIN } from '../wire/tcp.ts';
import type { TcpTraceEvent } from './trace.ts';

const FULL = 'x'.repeat(1460);

/** What the stack's trace tells from now on. */
function traced(tcp: TcpPeer): TcpTraceEvent[] {
  const events: TcpTraceEvent[] = [];
  tcp.stack.tcp.trace = (event) => events.push(event);
  return events;
}

const states = (events: TcpTraceEvent[]): string[] =>
  events.filter(({ what }) => what === 'state').map(({ from, state }) => `${from} ${state}`);

test('each change of state is told once, from the SYN to the end of TIME-WAIT', () => {
  const tcp = TcpPeer.listening();
  const events = traced(tcp);
  tcp.gets({ flags: 2, seq: 1000, mss: 1460 });
  tcp.gets({ flags: ACK, seq: 1001, ack: tcp.ours(0) });
  tcp.socket = tcp.listener!.accept();
  tcp.socket!.close();
  tcp.pump();
  tcp.gets({ flags: ACK, seq: 1001, ack: tcp.ours(1) });
  tcp.gets({ flags: ACK | FIN, seq: 1001, ack: tcp.ours(1) });
  tcp.leap(61_000);
  assert.deepEqual(states(events), [
    'CLOSED SYN-RECEIVED',
    'SYN-RECEIVED ESTABLISHED',
    'ESTABLISHED FIN-WAIT-1',
    'FIN-WAIT-1 FIN-WAIT-2',
    'FIN-WAIT-2 TIME-WAIT',
    'TIME-WAIT CLOSED',
  ]);
});

test('a timeout, what is sent again, and the end of the recovery', () => {
  const tcp = TcpPeer.established({ mss: 1460 });
  tcp.write(FULL.repeat(2));
  const events = traced(tcp);
  tcp.after(250);
  tcp.gets({ flags: ACK, ack: tcp.ours(2920) });
  const told = events.map(({ what, seq, length }) => [what, seq, length]);
  assert.deepEqual(told, [
    ['timeout', tcp.ours(0) >>> 0, 2920],
    ['retransmit', tcp.ours(0) >>> 0, 1460],
    ['recovered', tcp.ours(2920) >>> 0, 0],
  ]);
  assert.equal(events[0]!.cwndBytes, 1460);
});

test('a loss found by duplicates', () => {
  const tcp = TcpPeer.established({ mss: 1460 });
  tcp.write(FULL.repeat(6));
  const events = traced(tcp);
  for (let i = 0; i < 3; i++) tcp.gets({ flags: ACK, ack: tcp.ours(0) });
  assert.deepEqual(
    events.map(({ what }) => what),
    ['recovery', 'retransmit'],
  );
  assert.equal(events[0]!.ssthreshBytes, 7 * 1460);
});

test('without a listener nothing is told, and nothing happens to those who listened before', () => {
  const tcp = TcpPeer.established();
  const events = traced(tcp);
  tcp.stack.tcp.trace = null;
  tcp.socket!.abort();
  assert.deepEqual(events, []);
});
