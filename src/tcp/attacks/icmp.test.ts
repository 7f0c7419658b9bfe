import assert from 'node:assert/strict';
import test from 'node:test';
import { Prefix } from '../../base/address.ts';
import { createPair } from '../../link/pair.ts';
import { createStack } from '../../stack/stack.ts';
import { Arena } from '../../storage/arena.ts';
import { Injector } from '../../testing/injector.ts';
import { icmp, tcp as segment } from '../../testing/packet.ts';
import { Random } from '../../testing/random.ts';
import { TcpPeer } from '../../testing/tcp-peer.ts';
import type { TcpSocket } from '../socket.ts';
import { ESTABLISHED } from '../state.ts';

const MACS = { srcMac: '02:00:00:00:00:02', dstMac: '02:00:00:00:00:01' };
const HOST = '10.0.0.1';
const PEER = '10.0.0.2';

/** An established connection with 1,000 bytes in flight, and forged errors about it. */
class Victim {
  readonly socket: TcpSocket;
  readonly seq: number;
  readonly mss: () => number;
  readonly forge: (type: number, code: number, seq: number, mtu?: number) => void;

  constructor() {
    const arena = Arena.allocate(32 << 20);
    const random = new Random(8);
    const [a, b] = createPair(arena);
    const injector = new Injector(a);
    const stack = createStack({ arena, heapBytes: 1 << 20, random: () => random.next() });
    stack.attach(injector, { addresses: [Prefix.parse(`${HOST}/24`)] });
    let now = 1e6;
    const gets = (frame: Uint8Array): void => {
      injector.queue.push(frame);
      for (let i = 0; i < 3; i++) {
        now += 10;
        stack.poll(now);
        b.exchange();
      }
    };
    const ends = { ...MACS, src: PEER, dst: HOST, srcPort: 9, dstPort: 80 };
    const listener = stack.tcp.listen({ port: 80 });
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 2);
    stack.net.addNeighbor(
      stack.net.nics[0]!,
      Prefix.parse(`${PEER}/32`).address,
      (mac[0]! << 8) | mac[1]!,
      2,
    );
    gets(segment({ ...ends, flags: 'SYN', seq: 1, options: { mss: 1460 } }));
    const { iss } = stack.tcp.connections[0]!.opening!;
    gets(segment({ ...ends, flags: 'ACK', seq: 2, ack: (iss + 1) >>> 0 }));
    this.socket = listener.accept()!;
    this.socket.write(new Uint8Array(1000));
    now += 10;
    stack.poll(now);
    this.seq = (iss + 1) | 0;
    this.mss = () => stack.tcp.connections[0]!.mss;
    this.forge = (type, code, seq, mtu = 0) => {
      const quoted = segment({
        src: HOST,
        dst: PEER,
        srcPort: 80,
        dstPort: 9,
        flags: 'ACK',
        seq: seq >>> 0,
        ack: 2,
      }).subarray(14, 14 + 28);
      const body = new Uint8Array(4 + quoted.length);
      new DataView(body.buffer).setUint16(2, mtu);
      body.set(quoted, 4);
      gets(icmp({ ...MACS, src: '10.0.0.66', dst: HOST, type, code, body }));
    };
  }
}

test('row 13: no ICMP error ends an established connection, even with the right number', () => {
  for (let code = 0; code <= 15; code++) {
    const victim = new Victim();
    victim.forge(3, code, victim.seq);
    victim.forge(11, 0, victim.seq);
    victim.forge(4, 0, victim.seq);
    assert.equal(victim.socket.state, ESTABLISHED, `code ${code}`);
  }
});

test('row 13: a path MTU is believed with a number in flight only, and not below its floor', () => {
  const victim = new Victim();
  const { seq } = victim;
  const before = victim.mss();
  for (const wrong of [-1, 1000, 5000, -100_000, 0x40000000]) victim.forge(3, 4, seq + wrong, 600);
  assert.equal(victim.mss(), before);
  victim.forge(3, 4, seq, 68);
  assert.ok(victim.mss() >= 216);
});

test('row 13: what is said to be too big must be larger than what would fit (RFC 5927 7.2)', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.write('x'.repeat(1000));
  const { connection } = tcp.socket!;
  tcp.getsIcmp(3, 4, tcp.ours(0), 1200);
  assert.deepEqual([connection!.path!.mtu, connection!.mss], [1500, 1000]);
  tcp.getsIcmp(3, 4, tcp.ours(0), 1040);
  assert.deepEqual([connection!.path!.mtu, connection!.mss], [1500, 1000]);
  tcp.getsIcmp(3, 4, tcp.ours(0), 1039);
  assert.deepEqual([connection!.path!.mtu, connection!.mss], [1039, 999]);
});
