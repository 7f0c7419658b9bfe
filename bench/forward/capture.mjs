/**
 * A capture file for net_pcap.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as Packet from '../../dist/testing/packet.js';

const FRAMES = 64;

/** Frame `n` of those that are forwarded: a UDP datagram with 22 bytes, 64 in all. */
export function frame(n) {
  const fields = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: n + 1, dstPort: 9 };
  return Packet.udp({ ...fields, payload: 'x'.repeat(22) });
}

/** Writes a capture with them; returns its name. */
export function writeCapture(folder) {
  const header = new Uint32Array([0xa1b2c3d4, 2 | (4 << 16), 0, 0, 65535, 1]);
  const parts = [new Uint8Array(header.buffer)];
  for (let n = 0; n < FRAMES; n++) {
    const bytes = frame(n);
    parts.push(new Uint8Array(new Uint32Array([0, 0, bytes.length, bytes.length]).buffer), bytes);
  }
  const file = join(folder, 'in.pcap');
  writeFileSync(file, Buffer.concat(parts));
  return file;
}
