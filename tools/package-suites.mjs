/**
 * Runs the test suites of express, fastify, ws and undici as they are, and with
 * `--import dpdk-net/register`, and prints what ends differently:
 *
 *     node tools/package-suites.mjs [express|fastify|ws|undici ...] [--only word] [--node 22] [--jobs 2]
 *                                   [--timeout 120] [--verbose]
 *
 * Build first. The suites and what they load are fetched (Debian's source packages, npm), into
 * node_modules/.cache. Needs root for a network namespace in which the kernel's loopback is shut
 * while the stack's is tested. Its exit code is 1 when anything that passes without the stack does
 * not pass on it.
 * @module
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { fail } from './house/command.mjs';
import { nodeOf, versionOf } from './house/node-versions.mjs';
import { at } from './house/root.mjs';
import { enterNamespace, openKernel, sealKernel } from './house/sealed.mjs';
import { differences, runFiles, total } from './package-suites/compare.mjs';
import { fetchSuite } from './package-suites/fetch.mjs';
import { SUITES } from './package-suites/suites.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    node: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    timeout: { type: 'string', default: '120' },
    verbose: { type: 'boolean', default: false },
    sealed: { type: 'boolean', default: false },
  },
});

async function main() {
  const wanted = SUITES.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  if (wanted.length === 0) throw new Error(`suites: ${SUITES.map(({ name }) => name).join(', ')}`);
  const node = values.node === undefined ? process.execPath : nodeOf(values.node);
  const jobs = [];
  for (const suite of wanted) {
    const { folder, version, files } = await fetchSuite(suite);
    const chosen = files.filter((file) => file.includes(values.only));
    jobs.push(...chosen.map((file) => ({ suite, folder, version, file, args: suite.args(file) })));
  }
  if (jobs.length === 0) throw new Error(`no test file has ${values.only} in its name`);
  if (!values.sealed) return enterNamespace();
  await compare(node, wanted, jobs);
}

async function compare(node, wanted, jobs) {
  const settings = { node, workers: Number(values.jobs), seconds: Number(values.timeout) };
  openKernel();
  await runFiles(jobs, { ...settings, flags: [] }, 'kernel');
  sealKernel();
  await runFiles(jobs, { ...settings, flags: ['--import', at('lib/node/register.js')] }, 'stack');
  let worse = 0;
  console.log(`Node ${versionOf(node)}: passed / failed without the stack, with it`);
  for (const suite of wanted) {
    const of = jobs.filter((job) => job.suite === suite);
    if (of.length === 0) continue;
    const found = differences(of);
    const { version } = of[0];
    console.log(`${suite.name} ${version}: ${total(of, 'kernel')}, ${total(of, 'stack')}`);
    for (const { name, kernel, stack } of found) {
      if (kernel === 'ok') worse++;
      console.log(`  ${name}: ${kernel} without, ${stack} with`);
    }
    if (values.verbose) for (const job of of) tellOutput(job, found);
  }
  process.exitCode = worse === 0 ? 0 : 1;
}

function tellOutput({ file, stack }, found) {
  if (!found.some(({ name }) => name.startsWith(file))) return;
  console.log(`-- ${file}\n${stack.output.replace(/^/gm, '    ')}`);
}

await main().catch(fail);
