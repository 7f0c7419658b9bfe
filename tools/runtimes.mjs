/**
 * Runs the bare stack's tests, the compiled ones, under Bun and under Deno: floors 0 to 6 are to
 * run anywhere. Build first. Ends with a line `N passed, N failed`.
 *
 *     node tools/runtimes.mjs [bun|deno] [words of file names]
 * @module
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { relative } from 'node:path';
import { ask } from './house/command.mjs';
import { at } from './house/root.mjs';

const FLOORS = ['base', 'wire', 'storage', 'link', 'net', 'tcp', 'udp', 'stack', 'testing'];
/** These look into V8 through Node, so they are for Node alone. */
const NODE_ONLY = ['allocation.test.js', 'footprint.test.js'];
const BARE = 'test/runtimes/bare.mjs';
const SECONDS = 900;

/** How each runs test files that use node:test, and the program that needs nothing at all. */
const RUNTIMES = {
  bun: {
    test: (files) => ['test', '--timeout', '300000', ...files.map((file) => `./${file}`)],
    run: (file) => ['run', file],
    count: /(\d+) pass\n(?:.*\n)*? *(\d+) fail/,
  },
  deno: {
    test: (files) => ['test', '--allow-all', '--no-check', '--no-lock', ...files],
    // Without permissions: the stack asks nothing of its host.
    run: (file) => ['run', '--no-check', '--no-lock', '--no-prompt', file],
    count: /(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/,
  },
};

function main(words) {
  const names = Object.keys(RUNTIMES);
  const chosen = words.filter((word) => names.includes(word));
  const others = words.filter((word) => !names.includes(word));
  const files = testFiles().filter(
    (file) => others.length === 0 || others.some((word) => file.includes(word)),
  );
  let passed = 0;
  let failed = 0;
  for (const name of chosen.length > 0 ? chosen : names) {
    const tally = runUnder(name, files);
    passed += tally.passed;
    failed += tally.failed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

/** The story is printed when something failed. */
function runUnder(name, files) {
  const binary = at(`node_modules/.bin/${name}`);
  if (!existsSync(binary)) {
    console.log(`${name} is not installed: npm install`);
    return { passed: 0, failed: 1 };
  }
  const { test, run, count } = RUNTIMES[name];
  const version = start(binary, ['--version']).text.match(/\d+\.\d+\.\d+/)?.[0] ?? '?';

  const tests = start(binary, test(files));
  const counted = tests.text.match(count);
  const passed = Number(counted?.[1] ?? 0);
  const failed = Math.max(Number(counted?.[2] ?? 0), tests.status === 0 && counted ? 0 : 1);
  if (failed > 0) console.log(withoutPassed(tests.text));

  const bare = start(binary, run(BARE));
  if (bare.status !== 0) console.log(bare.text);
  const bareFailed = bare.status === 0 ? 0 : 1;
  console.log(
    `${name} ${version}: ${passed + 1 - bareFailed} passed, ${failed + bareFailed} failed`,
  );
  return { passed: passed + 1 - bareFailed, failed: failed + bareFailed };
}

/** What both print for a test that passed is of no interest here. */
function withoutPassed(text) {
  return text.replace(/^(\(pass\) .*|.* \.\.\. ok( \(.*\))?)\n/gm, '');
}

function start(binary, args) {
  const cache = at('node_modules/.cache/deno');
  mkdirSync(cache, { recursive: true });
  const env = { ...process.env, NO_COLOR: '1', DENO_DIR: cache, DENO_NO_UPDATE_CHECK: '1' };
  const options = { cwd: at('.'), env, timeout: SECONDS * 1000, maxBuffer: 1 << 26 };
  const { status, stdout, stderr } = ask(binary, args, options);
  return { status, text: `${stdout}\n${stderr}` };
}

function testFiles() {
  return FLOORS.flatMap((floor) => walk(at(`dist/${floor}`)))
    .filter((file) => file.endsWith('.test.js') && !NODE_ONLY.some((name) => file.endsWith(name)))
    .map((file) => relative(at('.'), file));
}

function walk(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? walk(path) : [path];
    });
}

main(process.argv.slice(2));
