/**
 * `npm run bench`: our stack and the kernel's, side by side, doing the same work.
 * @module
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { show } from './house/command.mjs';
import { at, isMain } from './house/root.mjs';

const FULL = { runs: 5, firstMs: 1500, warmupMs: 500, runMs: 1500, wrk: true };
const QUICK = { runs: 3, firstMs: 800, warmupMs: 250, runMs: 350, wrk: false };
const VARIANTS = ['lean', 'stream', 'net'];
/** Benchmarks with a program each, which tells its figures itself. */
const ALONE = [
  'queues',
  'offload',
  'forward',
  'idle',
  'flood',
  'churn',
  'net',
  'latency',
  'metrics',
  'capture',
];
/** Benchmarks whose report is not the table that the others share. */
const OWN_REPORTS = ['connections', 'loss'];
/** How many connections at most; room for their objects in the heap. */
const MOST_CONNECTIONS = { full: 1_000_000, quick: 100_000 };
const OLD_SPACE_MB = 8192;
const WRONG_USAGE = 2;
const INTERRUPTED = 130;

const HELP = `npm run bench -- [benchmark ...] [options]

Benchmarks (default: all):
  echo     64 bytes there and back, on 1, 100 and 1,000 connections
  stream   bulk on one connection: one way, and both ways at once
  connect  connect, echo, close, 16 at a time
  http     hello world from node:http, 10 to 2,000 connections
  pair     the stack alone: both ends in one process on one core, beside other stacks' figures
  queues   echo and HTTP on two queues against one; a worker that is killed (not among "all")
  flood    a SYN flood: legitimate connects, goodput, memory (not among "all")
  churn    10,000,000 connections that open and close: memory, ports, leaks (not among "all")
  idle     what an idle program costs, and its first packet (not among "all"; needs root)
  net      unmodified node:http and node:net for each second of processor time (not among "all")
  latency  of an echo at half load, with garbage collections (not among "all")
  offload  bulk over memif, segmentation and joining by the addon against without (not among "all")
  forward  frames received and sent by one core, beside testpmd (not among "all")
  metrics  what being measured and looked at costs: at most 2 % (not among "all")
  capture  what capturing costs: at most 5 %, and nothing lost that is not counted (not among "all")
  connections  memory of an idle one, and echoes among up to 1,000,000 (not among "all")
  loss     goodput under loss, simulated and against the kernel over TAP; fairness (not among "all")

Options:
  --quick           3 short runs, lean sockets only: less than a minute for each benchmark
  --long            of queues: 1,000,000 connections each way on 2 and 4 queues as well
  --runs N          runs of each (default 5; the median counts)
  --nice N          priority of all processes alike (default -20 as root), against disturbance
  --variants A,B    ours: lean (the stack's own sockets), stream (TcpStream, of echo and stream),
                    net (unmodified node:net programs)
  --json FILE       the results, with machine, versions and commit
  --svg FILE        the results as a picture
  --out PATH        of loss: PATH.md, PATH.json and PATH.svg
  --help

Ours is two processes joined by memif, each polling on a core of its own. The peer is the same
program on Node's net and http over the kernel: loopback, and a veth pair between two network
namespaces, each with both processes on one core and with a core each. The ratio is against the
best of the four. memif needs the addon (npm run build), the veth pair needs root: what is
missing is left out, and said.`;

class UsageError extends Error {}

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      runs: { type: 'string' },
      variants: { type: 'string' },
      nice: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const times = values.quick ? { ...QUICK } : { ...FULL };
  if (values.runs !== undefined) times.runs = Number(values.runs);
  if (!Number.isInteger(times.runs) || times.runs < 1) {
    throw new UsageError('--runs takes a whole number from 1');
  }
  const nice = Number(values.nice ?? -20);
  if (!Number.isInteger(nice) || Math.abs(nice) > 20) {
    throw new UsageError('--nice takes a whole number from -20 to 19');
  }
  const variants = (values.variants ?? (values.quick ? 'lean' : VARIANTS.join())).split(',');
  const unknown = variants.find((variant) => !VARIANTS.includes(variant));
  if (unknown !== undefined)
    throw new UsageError(`no variant '${unknown}'; there are ${VARIANTS.join(', ')}`);
  return { ...values, names: positionals, times, variants, nice };
}

/** One of ALONE, in a process whose memory can be looked at; returns what it wrote, or null. */
async function runAlone(name, { quick, long }) {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-bench-'));
  const json = join(folder, 'figures.json');
  const flags = [...(quick ? ['--quick'] : []), ...(long && name === 'queues' ? ['--long'] : [])];
  const program = at(`bench/${name}.mjs`);
  const status = await show(process.execPath, ['--expose-gc', program, ...flags, '--json', json]);
  if (status !== 0) process.exitCode = 1;
  const figures = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : null;
  rmSync(folder, { recursive: true });
  return figures;
}

/** `connections`, in a process with a heap of its own. */
async function runConnections({ quick, times, json, svg }) {
  const { connectionsPlot, connectionsTable } = await import('../bench/connections-report.mjs');
  const { busy, describeMachine } = await import('../bench/harness/machine.mjs');
  const machine = describeMachine(null);
  const notes = [busy()].filter((note) => note !== null);
  for (const note of notes) console.log(`note: ${note}`);
  const most = quick ? MOST_CONNECTIONS.quick : MOST_CONNECTIONS.full;
  const windows = { runs: times.runs, ms: quick ? 150 : 300 };
  const child = spawn(
    process.execPath,
    [
      '--expose-gc',
      `--max-old-space-size=${OLD_SPACE_MB}`,
      at('bench/connections.mjs'),
      ...['--most', `${most}`, '--window', `${windows.ms}`, '--windows', `${windows.runs}`],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => child.once('close', resolve));
  const steps = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const step = JSON.parse(line);
    steps.push(step);
    console.log(`${step.count} connections, opened in ${step.openSeconds.toFixed(1)} s`);
  }
  if ((await ended) !== 0) throw new Error('connections.mjs failed');
  const report = { machine, settings: { most, windows }, notes, steps };
  console.log(`\n${connectionsTable(steps)}`);
  save(json, `${JSON.stringify(report, null, 2)}\n`);
  save(svg, connectionsPlot(report));
}

/** DPDK's version, or { reason } why our side can not run over memif. */
async function findDpdk() {
  try {
    const { Eal } = await import('dpdk-net/dpdk');
    return { version: Eal.state().version };
  } catch (error) {
    return { reason: error.message };
  }
}

async function main() {
  const chosen = options();
  if (chosen.help) return console.log(HELP);
  if (!existsSync(at('lib/stack/index.js'))) {
    throw new Error('the project is not built: npm run build');
  }
  // Only now: these modules import from lib/.
  const { BENCHMARKS } = await import('../bench/harness/suite.mjs');
  const names = chosen.names.length > 0 ? chosen.names : BENCHMARKS;
  checkNames(names, [...BENCHMARKS, ...ALONE, ...OWN_REPORTS], chosen);
  const alone = {};
  for (const name of names) {
    if (ALONE.includes(name)) alone[name] = await runAlone(name, chosen);
    if (name === 'connections') await runConnections(chosen);
    if (name === 'loss') await runLosses(chosen);
  }
  const suite = names.filter((name) => BENCHMARKS.includes(name));
  if (suite.length > 0) await runSuite(suite, chosen, alone);
  else if (Object.keys(alone).length > 0) await saveAlone(alone, chosen);
}

/** The figures of those with a program each, by their names. */
async function saveAlone(alone, { quick, json }) {
  const { describeMachine } = await import('../bench/harness/machine.mjs');
  const { version = null } = await findDpdk();
  const report = { machine: describeMachine(version), quick, ...alone };
  save(json, `${JSON.stringify(report, null, 2)}\n`);
}

function checkNames(names, known, { json, svg, out }) {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`no benchmark '${unknown}'; there are ${known.join(', ')}`);
  }
  const own = names.find((name) => OWN_REPORTS.includes(name));
  if (own === undefined || names.length === 1) return;
  if ((json ?? svg ?? out) !== undefined) {
    throw new UsageError(`${own} has a report of its own: ask for files when it runs by itself`);
  }
}

/** `loss`, which compares in virtual time and over TAP. */
async function runLosses(chosen) {
  const { runLoss } = await import('../bench/loss/main.mjs');
  if (!(await runLoss(chosen))) process.exitCode = 1;
}

/** Those that are measured in turns with the kernel, and told in one table. */
async function runSuite(names, chosen, alone) {
  const { runBenchmark } = await import('../bench/harness/suite.mjs');
  const { allowedCpus, busy, describeMachine } = await import('../bench/harness/machine.mjs');
  const { raisePriority } = await import('../bench/harness/priority.mjs');
  const { makeProgress, table } = await import('../bench/harness/report.mjs');
  const { plot } = await import('../bench/harness/plot.mjs');

  const dpdk = await findDpdk();
  const notes = [];
  if (dpdk.reason !== undefined) notes.push(`only the kernel is measured: ${dpdk.reason}`);
  const machine = describeMachine(dpdk.version ?? null);
  notes.push(...[busy()].filter((note) => note !== null));
  const cpus = allowedCpus();
  if (cpus.length === 1) notes.push('one processor: our two polling processes have to share it');
  const namespaces = await makeNamespaces(notes);
  const nice = raisePriority(chosen.nice);
  for (const note of notes) console.log(`note: ${note}`);

  const ways = await waysFor({ cpus, namespaces, dpdk, variants: chosen.variants });
  const report = {
    machine,
    settings: { ...chosen.times, nice, notes },
    results: [],
    references: [],
    ...alone,
  };
  const failures = [];
  const tell = makeProgress(process.stdout, chosen.times.runs);
  for (const name of names) {
    const found = await runBenchmark(name, ways, chosen.times, cpus, tell);
    report.results.push(...found.results);
    report.references.push(...found.references);
    failures.push(...found.failures);
  }
  namespaces?.remove();
  console.log(`\n${table(report)}`);
  save(chosen.json, `${JSON.stringify(report, null, 2)}\n`);
  save(chosen.svg, plot(report));
  for (const failure of failures) console.error(`\nfailed: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

async function waysFor({ cpus, namespaces, dpdk, variants }) {
  const { makeWays } = await import('../bench/harness/ways.mjs');
  const socket = `dpdk-net-bench-${process.pid}`;
  const hasDpdk = dpdk.reason === undefined;
  const ways = makeWays({ cpus, namespaces, hasDpdk, socket });
  return ways.filter(({ id, isOurs }) => !isOurs || variants.includes(id));
}

/** The namespaces for the kernel's part, or null; also sees to it that nothing outlives us. */
async function makeNamespaces(notes) {
  const { Namespaces } = await import('../bench/harness/namespaces.mjs');
  const { killChildren } = await import('../bench/harness/children.mjs');
  let namespaces = null;
  process.once('exit', () => {
    killChildren();
    namespaces?.remove();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => process.exit(INTERRUPTED));
  }
  try {
    namespaces = new Namespaces();
  } catch (error) {
    const remedy = process.getuid?.() === 0 ? '' : ' (run it as root)';
    notes.push(`no veth pair, and the machine's own loopback: ${error.message}${remedy}`);
  }
  return namespaces;
}

function save(file, text) {
  if (file === undefined) return;
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, text);
  console.log(`written: ${file}`);
}

if (isMain(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    console.error(`bench: ${error.message}`);
    const isUsage = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS');
    process.exitCode = isUsage ? WRONG_USAGE : 1;
  }
}
