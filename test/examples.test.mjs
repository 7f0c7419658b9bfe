/**
 * The examples do what they say. They import the built package by its own name.
 * @module
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

test('examples/frames: the bare machine answers an ARP request', () => {
  const args = ['examples/frames/frames.js'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const frames = stdout.trim().split('\n');
  const reply =
    '020000000001' +
    '020000000002' +
    '0806' +
    '0001080006040002' +
    '0200000000020a000002' +
    '0200000000010a000001';
  assert.ok(frames.includes(reply), stdout);
});

test('examples/lcores: the parts of all lcores add up', () => {
  const args = ['examples/lcores/primes.js', '10000'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n'), [
    'main lcore 0, workers 1,2',
    'lcore 1: 669',
    'lcore 2: 560',
    '1229 primes below 10000',
  ]);
});
