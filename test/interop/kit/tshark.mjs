/**
 * What Wireshark says to our captures.
 * @module
 */
import { spawnSync } from 'node:child_process';

const SUMS = ['ip', 'tcp', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
/** Each segment by itself: a test's stream is no HTTP, whatever its port. */
const APART = ['-o', 'tcp.desegment_tcp_streams:FALSE'];

/**
 * Frames that no host should send. For a sum of zero UDP has 0xffff, the same in one's complement.
 * Linux (skb_checksum_help) and DPDK's net_tap write it for TCP as well, to which Wireshark objects
 * in one of 65,536 frames.
 */
export const BAD = [
  '_ws.malformed',
  '(tcp.checksum.status==0 && tcp.checksum!=0xffff)',
  ...['ip', 'udp', 'icmp', 'icmpv6'].map((name) => `${name}.checksum.status==0`),
].join(' || ');

/** How many frames of `file` each filter lets through, in one pass. */
export function counts(file, filters) {
  const stdout = tshark(file, ['-q', '-z', `io,stat,0,${['frame', ...filters].join(',')}`]);
  // One row: the interval, then frames and bytes for each filter.
  const row = stdout.split('\n').find((line) => line.includes('<>')) ?? '';
  const cells = row.split('|').slice(2, 4 + 2 * filters.length);
  const numbers = cells.map((cell) => Number.parseInt(cell, 10));
  if (numbers.length < 2 + 2 * filters.length || numbers.some(Number.isNaN)) {
    throw new Error(`tshark said: ${stdout}`);
  }
  return numbers.filter((_, index) => index % 2 === 0).slice(1);
}

/** The frames of `file` that `filter` lets through, a line each. */
export function frames(file, filter) {
  return tshark(file, ['-Y', filter]).split('\n').filter(Boolean);
}

/** Throws with tshark's reason. */
function tshark(file, command) {
  const args = ['-n', '-r', file, ...SUMS, ...APART, ...command];
  const options = { encoding: 'utf8', maxBuffer: 1 << 28 };
  const { status, stdout, stderr } = spawnSync('tshark', args, options);
  if (status !== 0) throw new Error(`tshark ${args.join(' ')}: ${stderr}`);
  return stdout;
}
