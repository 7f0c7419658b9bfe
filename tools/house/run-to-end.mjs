/**
 * Runs a program with everything it starts, up to a deadline.
 * @module
 */
import { spawn } from 'node:child_process';

const MOST_OUTPUT = 1 << 20;

/** Resolves to { status, isLate, output } once it has ended, and whatever it left behind as well. */
export function runToEnd(program, args, { cwd, env, seconds }) {
  return new Promise((resolve) => {
    // A group of its own: what it leaves behind goes with it.
    const child = spawn(program, args, {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let isLate = false;
    const add = (chunk) => {
      if (output.length < MOST_OUTPUT) output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', add);
    child.stderr.setEncoding('utf8').on('data', add);
    const deadline = setTimeout(() => {
      isLate = true;
      endGroup(child.pid);
    }, seconds * 1000);
    child.once('exit', () => endGroup(child.pid));
    child.once('close', (status) => {
      clearTimeout(deadline);
      resolve({ status, isLate, output });
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

/** This process's environment, with nothing in it that changes what a Node program does. */
export function plainEnvironment(more = {}) {
  const env = { ...process.env, ...more };
  for (const name of ['NODE_OPTIONS', 'DPDK_NET_CONFIG', 'NODE_TEST_CONTEXT']) delete env[name];
  return env;
}
