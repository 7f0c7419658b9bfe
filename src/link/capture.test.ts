import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../storage/arena.ts';
import { concat } from '../testing/bytes.ts';
import { decode } from '../testing/decode.ts';
import { sendFrame } from '../testing/frames.ts';
import * as Packet from '../testing/packet.ts';
import { captureLink } from './capture.ts';
import type { Link } from './link.ts';
import { createPair, type PairOptions } from './pair.ts';
import { PcapngWriter } from './pcapng.ts';

const ENDS = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 80, dstPort: 4000 };

interface Block {
  type: number;
  body: DataView;
}

function blocks(file: Uint8Array): Block[] {
  const view = new DataView(file.buffer);
  const list: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const length = view.getUint32(at + 4, true);
    assert.equal(view.getUint32(at + length - 4, true), length);
    assert.equal(length % 4, 0);
    list.push({
      type: view.getUint32(at, true),
      body: new DataView(file.buffer, at + 8, length - 12),
    });
    at += length;
  }
  return list;
}

function captured(options: PairOptions, act: (a: Link, b: Link) => void): Block[] {
  const pieces: Uint8Array[] = [];
  const [a, b] = createPair(Arena.allocate(40 << 20), options);
  const writer = new PcapngWriter((bytes) => pieces.push(bytes));
  const now = (): number => 1_700_000_000_123_456;
  act(captureLink(a, { to: writer, now, name: 'eth0' }), captureLink(b, { to: writer, now }));
  return blocks(concat(...pieces));
}

function frameOf({ body }: Block): Uint8Array {
  const length = body.getUint32(12, true);
  return new Uint8Array(body.buffer, body.byteOffset + 20, length).slice();
}

test('a capture is a section, an interface each, and the frames of both directions', () => {
  const frame = Packet.tcp({ ...ENDS, payload: 'odd' });
  const file = captured({}, (a, b) => {
    sendFrame(a, frame);
    a.exchange();
    b.exchange();
  });
  assert.deepEqual(
    file.map(({ type }) => type),
    [0x0a0d0d0a, 1, 1, 6, 6],
  );
  const [section, eth0, , out, into] = file as [Block, Block, Block, Block, Block];
  assert.equal(section.body.getUint32(0, true), 0x1a2b3c4d);
  assert.equal(eth0.body.getUint16(0, true), 1);
  const name = new Uint8Array(eth0.body.buffer, eth0.body.byteOffset + 12, 4);
  assert.equal(String.fromCharCode(...name), 'eth0');
  const time = out.body.getUint32(4, true) * 4294967296 + out.body.getUint32(8, true);
  assert.equal(time, 1_700_000_000_123_456);
  assert.deepEqual([frameOf(out), frameOf(into)], [frame, frame]);
  // The frame of 57 bytes is padded to 60; epb_flags: outbound, inbound.
  assert.equal(out.body.getUint32(20 + 60 + 4, true), 2);
  assert.equal(into.body.getUint32(20 + 60 + 4, true), 1);
});

test('captured frames have right checksums, also on a wire that computes none', () => {
  const payload = 'x'.repeat(20_000);
  const frame = Packet.tcp({ ...ENDS, payload, checksum: 0xdead });
  for (const wire of ['trusted', 'checksummed'] as const) {
    const file = captured({ wire, segmentBytes: 20_000 }, (a, b) => {
      sendFrame(a, frame, { mss: 1460 });
      a.exchange();
      b.exchange();
    });
    const frames = file.filter(({ type }) => type === 6).map(frameOf);
    assert.equal(frames.length, wire === 'trusted' ? 2 : 15);
    for (const bytes of frames) {
      const { ip, tcp } = decode(bytes);
      assert.ok(ip!.checksumGood && tcp!.checksumGood);
    }
  }
});
