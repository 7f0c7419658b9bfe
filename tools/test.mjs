/**
 * `npm test`: sets up, builds, runs every test, and ends with one line `N passed, N failed`.
 *
 *     npm test                      everything
 *     npm test -- tcp config       the test files whose path has one of these words
 *
 * Tests that drive DPDK (`*.nic.test.js`, test/interop) need root, network namespaces and the addon; where
 * these are missing they are left out, and a line says so.
 * @module
 */
import { existsSync, readdirSync } from 'node:fs';
import { relative } from 'node:path';
import { build } from './build.mjs';
import { ask, fail } from './house/command.mjs';
import { isRoot } from './house/packages.mjs';
import { promtool } from './house/promtool.mjs';
import { at } from './house/root.mjs';
import { add, runTests } from './house/tests.mjs';
import { setup } from './setup.mjs';

/** Two at a time: enough to use a small machine, few enough for tests that have a peer. */
const CONCURRENCY = 2;

/** What the tests of a folder share: named as they are because it may import what they may. */
const KIT = /\/harness\.test\.js$/;

async function main(words) {
  const start = Date.now();
  const notes = await setup({ test: true });
  const noAddon = await build();
  if (noAddon !== null) notes.push(`the addon is not built: ${noAddon}`);

  const files = testFiles().filter(
    (file) =>
      (words.length === 0 || words.some((word) => relative(at('.'), file).includes(word))) &&
      // That it is missing is among the notes.
      (promtool() !== null || !file.endsWith('/promtool.test.mjs')),
  );
  const needsNic = files.filter((file) => /\.nic\.test\.|\/interop\//.test(file));
  const others = files.filter((file) => !needsNic.includes(file));
  const tally = { passed: 0, failed: 0, failures: [] };

  console.log(`· ${others.length} test files, ${CONCURRENCY} at a time`);
  add(tally, await runTests(others, CONCURRENCY));
  const noNic = noAddon ?? whyNoNic();
  if (noNic === null) {
    if (needsNic.length > 0)
      console.log(`· ${needsNic.length} test files with DPDK, one at a time`);
    add(tally, await runTests(needsNic, 1));
  } else if (needsNic.length > 0) {
    notes.push(`not run: ${needsNic.length} test files with DPDK (${noNic})`);
  }
  if (words.length === 0) add(tally, runtimes());

  for (const failure of tally.failures) console.log(`\n${failure}`);
  for (const note of notes) console.log(`\nnote: ${note}`);
  console.log(`\n${((Date.now() - start) / 1000).toFixed(0)} s`);
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  process.exitCode = tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}

/** The compiled tests and those of test/, sorted. */
function testFiles() {
  const compiled = walk(at('dist')).filter((file) => file.endsWith('.test.js') && !KIT.test(file));
  const plain = [...walk(at('test')), ...walk(at('bench'))].filter((file) =>
    file.endsWith('.test.mjs'),
  );
  return [...plain, ...compiled];
}

function walk(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder.replace(/\/$/, '')}/${entry.name}`;
      return entry.isDirectory() ? walk(path) : [path];
    });
}

function whyNoNic() {
  if (!isRoot) return 'root is needed';
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  if (ask('unshare', ['-n', 'true']).status !== 0) return 'network namespaces are not allowed here';
  return null;
}

/** The bare stack's tests under Bun and Deno: a program of its own, which ends with a count. */
function runtimes() {
  const script = at('tools/runtimes.mjs');
  if (!existsSync(script)) return { passed: 0, failed: 0, failures: [] };
  console.log('· the stack under Bun and Deno');
  const { stdout, stderr } = ask(process.execPath, [script], { cwd: at('.'), maxBuffer: 1 << 26 });
  const count = stdout.trimEnd().match(/(\d+) passed, (\d+) failed$/);
  const passed = count === null ? 0 : Number(count[1]);
  const failed = count === null ? 1 : Number(count[2]);
  console.log(`  ${passed} passed, ${failed} failed`);
  const story = `${stdout}\n${stderr}`.split('\n').slice(-80).join('\n');
  return { passed, failed, failures: failed === 0 ? [] : [`tools/runtimes.mjs\n${story}`] };
}

main(process.argv.slice(2)).catch(fail);
