/** RFC 9293 3.1, 3.2, 3.4, 3.7.1: header, options, checksum, sequence numbers, segment sizes. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Prefix } from '../../base/address.ts';
import { bigEndian, internetChecksum } from '../../testing/bytes.ts';
import { tcp as tcpFrame } from '../../testing/packet.ts';
import { PEER_ISN, PEER_PORT, STACK_PORT, TcpPeer } from '../../testing/tcp-peer.ts';
import { ACK, FIN, RST, SYN } from '../../wire/tcp.ts';

/** Bytes of the addresses of an IP packet, of either family. */
function addressesOf(packet: Uint8Array): Uint8Array {
  return packet[0]! >> 4 === 4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
}

for (const version of [4, 6] as const) {
  test(`every segment has the checksum of its bytes and its pseudo-header (IPv${version})`, () => {
    const tcp = TcpPeer.listening({ version });
    const sums: number[] = [];
    const receive = tcp.receive.bind(tcp);
    tcp.receive = (packet) => {
      const { bytes } = tcp.stack.heap.arena;
      const end = packet.at + packet.length;
      const pseudo = [
        addressesOf(bytes.subarray(packet.ipAt, end)),
        bigEndian(6, 4),
        bigEndian(packet.length, 4),
      ];
      sums.push(internetChecksum(...pseudo, bytes.slice(packet.at, end)));
      receive(packet);
    };
    tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400, timestamps: [1, 0] });
    tcp.gets({ flags: ACK, timestamps: [2, 0] });
    tcp.socket = tcp.listener!.accept();
    for (const length of [1, 2, 1387, 1388, 3001]) tcp.write('x'.repeat(length));
    tcp.socket!.close();
    tcp.gets({ flags: ACK, ack: tcp.ours(3000), timestamps: [3, 0] });
    tcp.gets({ flags: SYN, dstPort: 9 });
    assert.ok(sums.length >= 6, `${sums.length} segments`);
    assert.deepEqual([...new Set(sums)], [0], 'a block with its checksum in it sums to nothing');
  });
}

test('a segment with a wrong checksum is dropped, whatever it says', () => {
  const tcp = TcpPeer.established();
  const fields = { src: '10.0.0.2', dst: '10.0.0.1', srcPort: PEER_PORT, dstPort: STACK_PORT };
  for (const flags of ['RST', 'ACK', 'SYN']) {
    const seq = tcp.theirs(0) >>> 0;
    tcp.getsFrame(tcpFrame({ ...fields, seq, ack: tcp.ours(0) >>> 0, flags, checksum: 0x1234 }));
  }
  tcp.sendsNothing();
  assert.equal(tcp.state, 'ESTABLISHED');
  assert.equal(tcp.stack.report().drops['tcp_bad_checksum'], 3);
});

test('a window above 32,767 is that large: the field is unsigned', () => {
  const tcp = TcpPeer.established({ mss: 1400, tcp: { initialWindowSegments: 64 } });
  tcp.gets({ flags: ACK, window: 65_535 });
  tcp.write('x'.repeat(70_000));
  while (tcp.stack.poll(tcp.now) > 0) tcp.pump();
  const bytes = tcp.sent.reduce((sum, segment) => sum + segment.data.length, 0);
  assert.ok(bytes > 60_000 && bytes <= 65_535, `${bytes} bytes went out`);
});

const SACK_PERMITTED = [4, 2];
const MSS_1000 = [2, 4, 1000 >> 8, 1000 & 255];

test('options are taken in any order and alignment, unknown ones are passed over', () => {
  const unknown = [253, 6, 0xde, 0xad, 0xbe, 0xef];
  for (const options of [
    [...MSS_1000],
    [1, ...MSS_1000],
    [1, 1, 1, ...MSS_1000, 0],
    [...unknown, 1, ...MSS_1000],
    [3, 3, 2, ...SACK_PERMITTED, ...MSS_1000],
    [254, 2, ...MSS_1000, 0, 2, 4, 0, 100],
  ]) {
    const tcp = TcpPeer.listening();
    tcp.gets({ flags: SYN, seq: PEER_ISN, options });
    tcp.sends({ flags: SYN | ACK });
    tcp.gets({ flags: ACK, options: [...unknown, 1] });
    tcp.socket = tcp.listener!.accept();
    tcp.write('x'.repeat(1500));
    tcp.sends({ data: 'x'.repeat(1000) });
  }
});

test('options come in any segment, and unknown ones change nothing', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, data: 'abc', options: [253, 4, 1, 2, 1, 1, 254, 3, 9, 0] });
  assert.equal(tcp.read(), 'abc');
  tcp.gets({ flags: ACK | FIN, seq: tcp.theirs(3), options: [1, 1, 253, 2] });
  assert.equal(tcp.state, 'CLOSE-WAIT');
});

test('an MSS option outside of a SYN is ignored', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.gets({ flags: ACK, options: [2, 4, 0, 100] });
  tcp.write('x'.repeat(1000));
  tcp.sends({ data: 'x'.repeat(1000) });
});

test('options whose length cannot be are survived, and the segment is dropped', () => {
  for (const options of [
    [2, 0, 1, 1],
    [2, 1, 1, 1],
    [253, 9, 0, 0],
    [2, 40, 5, 0],
    [1, 1, 1, 8],
  ]) {
    const tcp = TcpPeer.listening();
    tcp.gets({ flags: SYN, seq: 1, options });
    tcp.sendsNothing();
    assert.equal(tcp.stack.report().drops['tcp_malformed'], 1, `options ${options}`);
  }
});

test('an option of a known kind with another length is ignored', () => {
  const tcp = TcpPeer.listening();
  tcp.gets({ flags: SYN, seq: PEER_ISN, options: [2, 3, 100, 1, 4, 3, 0, 1] });
  tcp.sends({ flags: SYN | ACK, sackPermitted: false });
});

/** Walks options as RFC 9293 3.2 has them; throws where they do not fit. */
function kindsOf(options: Uint8Array): number[] {
  const kinds: number[] = [];
  for (let at = 0; at < options.length; ) {
    const kind = options[at]!;
    kinds.push(kind);
    if (kind === 0) {
      assert.ok(
        options.subarray(at).every((byte) => byte === 0),
        'padding is zero',
      );
      break;
    }
    const length = kind === 1 ? 1 : options[at + 1]!;
    assert.ok(kind === 1 || (length >= 2 && at + length <= options.length), `kind ${kind}`);
    at += length;
  }
  return kinds;
}

test('what we send are options with lengths; MSS and its like on SYNs only', () => {
  const tcp = TcpPeer.listening();
  tcp.tsVal = 1;
  const offers = { mss: 1460, windowScale: 7, sackPermitted: true };
  tcp.gets({ flags: SYN, seq: PEER_ISN, ...offers });
  const synAck = kindsOf(tcp.sends({ flags: SYN | ACK }).options);
  for (const kind of [2, 3, 4, 8]) assert.ok(synAck.includes(kind), `kind ${kind}`);
  tcp.gets({ flags: ACK });
  tcp.socket = tcp.listener!.accept();
  tcp.write('data');
  tcp.gets({ flags: ACK, seq: tcp.theirs(10), data: 'hole' });
  tcp.gets({ flags: ACK, seq: tcp.theirs(20), data: 'hole' });
  tcp.socket!.close();
  tcp.after(3000);
  assert.ok(tcp.sent.length >= 4);
  const seen = new Set(tcp.sent.flatMap((segment) => kindsOf(segment.options)));
  assert.deepEqual([...seen].sort(), [1, 5, 8]);
});

test('a SYN offers the MSS that our interface takes (MMS_R), and only what it may', () => {
  for (const version of [4, 6] as const) {
    const { synSegment } = TcpPeer.synSent({ version });
    assert.equal(synSegment.mss, version === 4 ? 1500 - 20 - 20 : 1500 - 40 - 20);
    assert.deepEqual(new Set(kindsOf(synSegment.options)), new Set([2, 1, 3, 8, 4]));
  }
});

test('the size of segments is the least of MSS, path MTU and the floor, less the options', () => {
  const tcp = TcpPeer.established({ mss: 1400, timestamps: 5 });
  const send = (): number => {
    tcp.write('x'.repeat(1400));
    const { data } = tcp.sent.shift()!;
    tcp.sent.length = 0;
    return data.length;
  };
  assert.equal(send(), 1400 - 12);
  tcp.getsIcmp(3, 4, tcp.ours(0), 1000);
  assert.equal(tcp.sent.shift()!.data.length, 1000 - 40 - 12);
});

test('the initial number of a pair follows the clock and a key that nobody knows', () => {
  const isnOf = (seed: number, ms: number): number => {
    const peer = new TcpPeer({ seed });
    peer.after(ms);
    const options = { address: peer.peerAddress, port: 9, localPort: 5000 };
    const socket = peer.stack.tcp.connect(options);
    return socket.connection!.opening!.iss;
  };
  assert.equal((isnOf(1, 40) - isnOf(1, 10)) | 0, 30 * 250, 'one tick every 4 microseconds');
  const isns = [1, 2, 3, 4, 5, 6].map((seed) => isnOf(seed, 0));
  const distances = isns.map((isn) => Math.abs((isn - isns[0]!) | 0)).slice(1);
  assert.ok(
    distances.every((distance) => distance > 1 << 16),
    `${distances}`,
  );
});

test('RST counts even while the window is closed (MUST-66)', () => {
  const tcp = TcpPeer.established({ tcp: { receiveBufferBytes: 2048 } });
  tcp.gets({ flags: ACK, data: 'x'.repeat(1024) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(1024), data: 'x'.repeat(1024) });
  assert.equal(tcp.sent.at(-1)!.window, 0);
  tcp.gets({ flags: RST, seq: tcp.theirs(2048) });
  assert.equal(tcp.socket!.error, 'ECONNRESET');
});

test('a connection keeps its local address, whichever the host has besides (MUST-45)', () => {
  const tcp = TcpPeer.synSent();
  const { stack } = tcp;
  stack.net.addAddress(stack.net.nics[0]!, Prefix.parse('10.0.0.7/24'));
  const localAddress = Prefix.parse('10.0.0.7/24').address;
  const socket = stack.tcp.connect({ address: tcp.peerAddress, port: PEER_PORT, localAddress });
  tcp.pump();
  tcp.sends({ flags: SYN, src: '10.0.0.7', srcPort: socket.localPort });
  tcp.after(1001);
  const sources = tcp.sent.map(({ src, srcPort }) => [src, srcPort]);
  assert.deepEqual(sources.sort(), [
    ['10.0.0.1', tcp.dstPort],
    ['10.0.0.7', socket.localPort],
  ]);
});
