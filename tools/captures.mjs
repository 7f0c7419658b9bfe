/**
 * Runs the tests with a capture of what every stack in them sends, and shows it to tshark: how
 * many frames, and which of them are malformed or have a wrong checksum.
 *
 *     node tools/captures.mjs              every test of the stack, and with DPDK as root
 *     node tools/captures.mjs tcp udp      the test files whose path has one of these words
 *
 * Takes minutes, so it is no part of `npm test`, which looks at some captures (test/interop).
 * Whether the tests pass under capture is not asked: those that count allocations do not.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { BAD, counts, frames } from '../test/interop/kit/tshark.mjs';
import { at } from './house/root.mjs';

/** A file's tests that take longer are cut short; what they sent until then counts. */
const TIMEOUT_MS = 180_000;
const SHOWN = 10;
const FLOORS = ['net', 'tcp', 'udp', 'stack', 'testing', 'node', 'runtime', 'dpdk'];

/** They quote what they are about, which the test may have made up: only their own sum counts. */
const ERRORS =
  '(icmp.type==3 || icmp.type==5 || icmp.type==11 || icmp.type==12 || icmpv6.type<128)';
/** Payload of tests is no DNS, whatever its port: only what is ours can be malformed. */
const OURS = 'frame.protocols matches "(arp|ip|ipv6|icmp|icmpv6|tcp|udp)(:data)?$"';
const OBJECTION = [
  `((${BAD.replace('_ws.malformed', `(_ws.malformed && ${OURS})`)}) && !${ERRORS})`,
  'icmp.checksum.status==0',
  'icmpv6.checksum.status==0',
].join(' || ');

function testFiles(words) {
  return FLOORS.flatMap((floor) =>
    readdirSync(at(`dist/${floor}`), { recursive: true })
      .filter((name) => name.endsWith('.test.js'))
      .map((name) => at(`dist/${floor}/${name}`)),
  )
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort();
}

/** Runs one file; returns { sent, bad } and prints what tshark objects to. */
function look(file, folder) {
  mkdirSync(folder);
  spawnSync(process.execPath, ['--import', at('tools/captures/preload.mjs'), '--test', file], {
    env: { ...process.env, DPDK_NET_CAPTURE: folder },
    stdio: 'ignore',
    timeout: TIMEOUT_MS,
  });
  let sent = 0;
  let bad = 0;
  for (const name of readdirSync(folder)) {
    const capture = join(folder, name);
    const [all, wrong] = counts(capture, ['frame', OBJECTION]);
    sent += all;
    bad += wrong;
    if (wrong > 0) console.log(frames(capture, OBJECTION).slice(0, SHOWN).join('\n'));
  }
  rmSync(folder, { recursive: true });
  return { sent, bad };
}

function main(words) {
  const root = mkdtempSync(join(tmpdir(), 'dpdk-net-captures-'));
  const total = { sent: 0, bad: 0 };
  try {
    for (const [index, file] of testFiles(words).entries()) {
      const { sent, bad } = look(file, join(root, `${index}`));
      total.sent += sent;
      total.bad += bad;
      console.log(`${relative(at('dist'), file)}: ${sent} frames, ${bad} bad`);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
  console.log(`${total.sent} frames, ${total.bad} bad`);
  process.exitCode = total.bad === 0 && total.sent > 0 ? 0 : 1;
}

main(process.argv.slice(2));
