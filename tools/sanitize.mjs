/**
 * The NIC tests with an addon that has AddressSanitizer and UndefinedBehaviorSanitizer inside:
 *
 *     node tools/sanitize.mjs [word ...]      the test files whose name has one of these words
 *
 * Which are those of dist/dpdk and dist/runtime that need a device, and those of jumbo frames.
 *
 * A finding of either fails the run. Leaks are not looked for: a runtime that exits frees nothing.
 * Exit status: 0 all passed, 1 not.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { ask, fail } from './house/command.mjs';
import { at } from './house/root.mjs';

/** Much slower than without: the longest file takes a minute. */
const TIMEOUT_MS = 300_000;
const FINDING = /ERROR: AddressSanitizer|runtime error:/;

function main(words) {
  const built = spawnSync(process.execPath, [at('tools/build-native.mjs'), '--sanitize'], {
    stdio: 'inherit',
  });
  if (built.status !== 0) process.exit(1);
  const library = ask('gcc', ['-print-file-name=libasan.so']).stdout?.trim();
  if (!library?.startsWith('/')) fail('libasan.so is not installed: apt-get install gcc');
  const files = testFiles().filter(
    (file) => words.length === 0 || words.some((word) => file.includes(word)),
  );
  let bad = 0;
  for (const file of files) if (!run(file, library)) bad++;
  console.log(`${files.length - bad} files passed, ${bad} failed`);
  process.exitCode = bad === 0 && files.length > 0 ? 0 : 1;
}

/** Where DPDK itself is tested, and a stack with frames in several buffers; the stack has no C. */
function testFiles() {
  return [
    ...filesOf('dist/dpdk', /\.nic\.test\.js$/),
    ...filesOf('dist/runtime', /\.nic\.test\.js$/),
    ...filesOf('test/interop', /^jumbo.*\.test\.mjs$/),
  ];
}

function filesOf(folder, name) {
  return readdirSync(at(folder))
    .filter((file) => name.test(file))
    .map((file) => at(`${folder}/${file}`));
}

function run(file, library) {
  const start = Date.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env: {
      ...process.env,
      LD_PRELOAD: library,
      ASAN_OPTIONS: 'detect_leaks=0',
      DPDK_NET_ADDON: at('native/build/sanitized/dpdk_net.node'),
    },
  });
  const output = `${stdout}\n${stderr}`;
  const good = status === 0 && !FINDING.test(output);
  const seconds = ((Date.now() - start) / 1000).toFixed(0);
  console.log(`${good ? 'ok' : 'NOT OK'} ${file.split('/').at(-1)} (${seconds} s)`);
  if (!good) console.log(output);
  return good;
}

main(process.argv.slice(2));
