/**
 * Little programs, most of which misuse net and dgram, are told the same by the stack as by the kernel:
 * the same events in the same order, the same errors with the same codes, messages and addresses.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { at } from '../tools/house/root.mjs';

const run = promisify(execFile);

/** { program: { socket: [lines] } } */
async function stories(...flags) {
  const env = { ...process.env };
  for (const name of ['NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'DPDK_NET_CONFIG']) delete env[name];
  const args = [...flags, at('test/same-as-node/run.mjs')];
  const { stdout } = await run(process.execPath, args, { env, maxBuffer: 1 << 24 });
  return JSON.parse(stdout);
}

test('what programs are told is what Node tells on the kernel', async (t) => {
  const [kernel, stack] = await Promise.all([
    stories(),
    stories('--import', at('dist/node/register.js')),
  ]);
  assert.ok(Object.keys(kernel).length > 120);
  for (const [program, expected] of Object.entries(kernel)) {
    await t.test(program, () => assert.deepEqual(stack[program], expected));
  }
});
