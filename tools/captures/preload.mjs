/**
 * Loaded into a test before its first line (`node --import`): what every stack in the process
 * sends is written to a pcapng file of the folder $DPDK_NET_CAPTURE.
 *
 * Only what stacks send: what they receive was sent by another stack, or made by the test, which
 * may be malformed on purpose. The loopback is not captured: it fills in no checksums.
 * @module
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PcapngWriter } from '../../dist/link/pcapng.js';
import { TapLink } from '../../dist/link/tap.js';
import { Net } from '../../dist/net/net.js';

/** A bulk transfer's frames are all alike: what a file holds at most. */
const MOST_FRAMES = 100_000;
const MOST_BYTES = 64 << 20;

const folder = process.env.DPDK_NET_CAPTURE;
/** Opened with the first interface: most of a test's processes have no stack. */
let file = null;
let writer = null;
let frames = 0;
let bytes = 0;

function open() {
  file = openSync(join(folder, `${process.pid}.pcapng`), 'w');
  writer = new PcapngWriter((block) => {
    if (file !== null) writeSync(file, block);
  });
}

/** Blocks are whole, so a test that is killed leaves a file that can be read. */
process.once('exit', () => {
  if (file !== null) closeSync(file);
  file = null;
});

const attach = Net.prototype.attach;
Net.prototype.attach = function (link, options) {
  if (options?.loopback === true) return attach.call(this, link, options);
  if (writer === null) open();
  const index = writer.addInterface(link.name, link.mac);
  const tap = new TapLink(link, (direction, at, length) => {
    if (direction !== 'out' || frames >= MOST_FRAMES || bytes + length > MOST_BYTES) return;
    frames++;
    bytes += length;
    const now = performance.now() * 1000;
    writer.frame(index, now, direction, link.arena.bytes.slice(at, at + length));
  });
  return attach.call(this, tap, options);
};
