/**
 * What we send and receive, as Wireshark reads it: our own captures, and what the kernel's end of
 * the wire saw. Nothing may be malformed, no checksum wrong.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PcapngWriter } from '../../dist/link/pcapng.js';
import * as Packet from '../../dist/testing/packet.js';
import { Datagrams } from './kit/datagrams.mjs';
import { NAMESPACE } from './kit/enter.mjs';
import { Kernel } from './kit/kernel.mjs';
import { INTERFACE, NOTHING, OURS, Ours, THEIRS } from './kit/ours.mjs';
import { Pattern } from './kit/pattern.mjs';
import * as Peer from './kit/peer-tcp.mjs';
import * as PeerUdp from './kit/peer-udp.mjs';
import { Program, run } from './kit/program.mjs';
import { BAD, counts, frames } from './kit/tshark.mjs';

const folder = mkdtempSync(join(tmpdir(), `${NAMESPACE}-`));
const kernel = new Kernel();
after(() => {
  kernel.close();
  rmSync(folder, { recursive: true });
});

/** Runs `body(ours)` with a capture on both sides of the device; their files. */
async function captured(t, name, faults, body) {
  const file = join(folder, `${name}.pcapng`);
  const wire = join(folder, `${name}.wire.pcap`);
  const ours = new Ours({ tcp: { timeWaitMs: 0 }, capture: file, faults });
  // Without immediate mode the ring is made of blocks, not of slots as large as the largest frame.
  const args = ['-i', INTERFACE, '-U', '-Z', 'root', '-B', '65536', '-w', wire];
  const tcpdump = new Program(['tcpdump', ...args]);
  t.after(() => tcpdump.kill());
  await tcpdump.says(/listening on/);
  await body(ours);
  // tcpdump is behind: it has everything once it has this. On a busy machine its ring overflows,
  // so it is told more than once.
  const text = 'the end of the capture';
  const deadline = Date.now() + 120_000;
  for (let told = 0; !readFileSync(wire).includes(text); told++) {
    assert.ok(Date.now() < deadline, 'tcpdump did not see the end of the capture');
    if (told % 25 === 0) await kernel.run(PeerUdp.say, { host: OURS[4], port: 9, text });
    await sleep(20);
  }
  tcpdump.signal('SIGINT');
  await tcpdump.ended();
  assert.deepEqual(ours.close(), NOTHING);
  return [file, wire];
}

/** Each file has frames of each kind, and none of them bad. */
function check(files, kinds) {
  for (const file of files) {
    const [bad, ...found] = counts(file, [BAD, ...kinds]);
    assert.equal(bad, 0, bad === 0 ? '' : frames(file, BAD).slice(0, 20).join('\n'));
    for (const [index, kind] of kinds.entries()) assert.ok(found[index] > 0, `${kind} in ${file}`);
  }
}

async function transfer(ours, family, bytes) {
  const expected = { bytes, sha256: Pattern.digest(bytes) };
  await kernel.run(Peer.listen, { host: THEIRS[family], port: 5001 });
  const [conversation] = await Promise.all([
    ours.connect(THEIRS[family], 5001),
    kernel.run(Peer.keepAccepted, { port: 5001 }),
  ]);
  const [there, here] = await Promise.all([
    kernel.run(Peer.digest),
    conversation.digest(),
    kernel.run(Peer.sendPattern, { bytes }),
    conversation.sendPattern(bytes),
  ]);
  assert.deepEqual([there, here], [expected, expected]);
  conversation.close();
  await conversation.closed();
}

test('the filter finds bad frames', () => {
  const file = join(folder, 'planted.pcapng');
  const pieces = [];
  const writer = new PcapngWriter((bytes) => pieces.push(bytes));
  const index = writer.addInterface('planted', new Uint8Array(6));
  const v4 = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 1, dstPort: 2 };
  const v6 = { src: 'fd00::1', dst: 'fd00::2', srcPort: 1, dstPort: 2 };
  const good = [v4, v6].flatMap((fields) => [
    Packet.tcp({ ...fields, seq: 1, flags: 'SYN', payload: '' }),
    Packet.udp({ ...fields, payload: 'payload' }),
    Packet.icmpEcho({ ...fields, request: true, id: 1, seq: 1, payload: 'payload' }),
  ]);
  const broken = good.map((frame) => {
    const copy = frame.slice();
    copy[copy.length - 1] ^= 1;
    return copy;
  });
  const headerSum = good[0].slice();
  headerSum[24] ^= 1;
  // The data offset says more than there is.
  const tooLong = Packet.tcp({ ...v4, seq: 1, flags: 'ACK' });
  tooLong[46] = 0xf0;
  const bad = [...broken, headerSum, tooLong];
  for (const [time, bytes] of [...good, ...bad].entries()) writer.frame(index, time, 'in', bytes);
  writeFileSync(file, Buffer.concat(pieces));
  assert.deepEqual(counts(file, ['frame', BAD]), [good.length + bad.length, bad.length]);
  assert.equal(frames(file, BAD).length, bad.length);
});

test('captures of transfers, both families', async (t) => {
  const files = await captured(t, 'transfers', undefined, async (ours) => {
    await transfer(ours, 4, 1_000_000);
    await transfer(ours, 6, 1_000_000);
  });
  check(files, ['ip && tcp.flags.syn==1', 'ipv6 && tcp.flags.fin==1']);
});

test('captures of transfers with losses, duplicates and reordering', async (t) => {
  const faults = { loss: 0.01, duplicate: 0.01, reorder: 0.02 };
  const files = await captured(t, 'faults', { in: faults, out: faults }, async (ours) => {
    await transfer(ours, 4, 1_000_000);
    await transfer(ours, 6, 1_000_000);
  });
  check(files, ['tcp.analysis.retransmission', 'tcp.analysis.duplicate_ack', 'tcp.options.sack']);
});

test('captures of pings, datagrams, fragments and ICMP errors', async (t) => {
  const files = await captured(t, 'datagrams', undefined, async (ours) => {
    const socket = new Datagrams(ours, 6000);
    for (const family of [4, 6]) {
      for (const size of ['56', '1400', '4000']) {
        await run('ping', '-c', '2', '-i', '0.1', '-w', '100', '-s', size, OURS[family]);
      }
      for (const size of [1, 1400, 9001]) {
        const bytes = Buffer.alloc(size, 'x');
        const { port } = await kernel.run(PeerUdp.echo, { host: THEIRS[family] });
        await socket.send(bytes, THEIRS[family], port);
        assert.deepEqual((await socket.receive()).bytes, bytes);
      }
      // Nobody is there, at either end.
      await socket.send(Buffer.from('?'), THEIRS[family], 9);
      assert.equal(await kernel.run(PeerUdp.refused, { host: OURS[family], port: 9 }), 'refused');
    }
    socket.close();
  });
  check(files, [
    'icmp.type==8 && ip.len > 1400',
    'icmpv6.type==128',
    'ip.flags.mf==1',
    'ipv6.fraghdr',
    'ip.src==10.77.0.2 && ip.flags.mf==1',
    'ipv6.src==fd77::2 && ipv6.fraghdr',
    'ip.src==10.77.0.2 && icmp.type==3 && icmp.code==3',
    'ipv6.src==fd77::2 && icmpv6.type==1 && icmpv6.code==4',
    'udp.length > 9000',
  ]);
});

test('a capture of a page for curl', async (t) => {
  const page = '<h1>Hello</h1>';
  const files = await captured(t, 'http', undefined, async (ours) => {
    const listener = ours.listen(8080);
    for (const host of ['10.77.0.2', '[fd77::2]']) {
      const [answer] = await Promise.all([
        run('curl', '-sS', '-g', '--max-time', '100', `http://${host}:8080/`),
        listener.accept().then(async (conversation) => {
          await conversation.read();
          const head = `HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\nConnection: close`;
          await conversation.write(Buffer.from(`${head}\r\n\r\n${page}`));
          conversation.shutdown();
          assert.equal(await conversation.read(), null);
          conversation.close();
          await conversation.closed();
        }),
      ]);
      assert.equal(answer, page);
    }
    listener.close();
  });
  check(files, ['http.request.method=="GET"', 'http.response.code==200']);
});
