/**
 * Runs test files, each in a process of its own, and tells how they ended.
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { ask } from '../house/command.mjs';

/** The kernel's loopback of this network namespace is there ... */
export function openKernel() {
  must('ip', ['link', 'set', 'lo', 'up']);
}

/** ... and is there still, with its addresses, but carries nothing. */
export function sealKernel() {
  must('nft', [
    'add table inet sealed; add chain inet sealed out { type filter hook output priority 0; policy drop; }',
  ]);
}

function must(program, args) {
  const { status, stderr } = ask(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/**
 * Gives each test test[key] = { outcome, words, output, isSteady }: 'passed', 'failed', 'timed out'
 * or 'skipped'. What fails has a second chance alone: with others it competes for the processors.
 */
export async function runAll(tests, settings, key) {
  const folder = mkdtempSync(`${tmpdir()}/node-compat-`);
  const together = tests.filter(({ isAlone }) => !isAlone);
  const one = async (test, job) => {
    test[key] = await runOne(test, settings, `${folder}/${job}`, job);
  };
  const workers = Array.from({ length: settings.jobs }, async (_, job) => {
    for (let test = together.shift(); test; test = together.shift()) await one(test, job);
  });
  await Promise.all(workers);
  for (const test of tests.filter(({ isAlone }) => isAlone)) await one(test, 0);
  for (const test of tests.filter((each) => ['failed', 'timed out'].includes(each[key].outcome))) {
    await one(test, 0);
    if (test[key].outcome === 'passed') test[key].isSteady = false;
  }
  rmSync(folder, { recursive: true, force: true });
}

function runOne(test, { node, register, seconds, folder }, scratch, job) {
  mkdirSync(scratch, { recursive: true });
  const flags =
    test.source
      .match(/^\/\/ Flags: (.*)$/m)?.[1]
      .trim()
      .split(/\s+/) ?? [];
  const ours = register === undefined ? [] : ['--import', register];
  const env = {
    ...process.env,
    NODE_TEST_DIR: scratch,
    TEST_THREAD_ID: String(job),
    TEST_PARALLEL: test.isAlone ? '' : '1',
  };
  for (const name of ['NODE_OPTIONS', 'DPDK_NET_CONFIG', 'NODE_TEST_CONTEXT']) delete env[name];
  return new Promise((resolve) => {
    // A group of its own: what a test leaves behind goes with it.
    const child = spawn(node, [...flags, ...ours, test.path], {
      cwd: folder,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let isLate = false;
    const add = (chunk) => {
      if (output.length < 1 << 18) output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', add);
    child.stderr.setEncoding('utf8').on('data', add);
    const deadline = setTimeout(() => {
      isLate = true;
      endGroup(child.pid);
    }, seconds * 1000);
    child.once('exit', (status) => {
      clearTimeout(deadline);
      endGroup(child.pid);
      resolve({ ...verdict(status, isLate, output), output, isSteady: true });
    });
  });
}

function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // None of the group is left.
  }
}

function verdict(status, isLate, output) {
  if (isLate) return { outcome: 'timed out', words: '' };
  if (status !== 0) return { outcome: 'failed', words: lastWords(output) };
  return { outcome: /^1\.\.0 # Skipped/m.test(output) ? 'skipped' : 'passed', words: '' };
}

/** The line of the output that says most. */
function lastWords(output) {
  const lines = output.split('\n').map((line) => line.trim());
  const telling = lines.find((line) => /^(\S*Error\b|Mismatched|\S+ \[ERR_)/.test(line));
  return (telling ?? lines.find((line) => line !== '') ?? '').slice(0, 160);
}
