import assert from 'node:assert/strict';
import test from 'node:test';
import { allowedCpus, parseCpuList } from './cpus.ts';

test('lists of processors are read as the kernel writes them', () => {
  assert.deepEqual(parseCpuList('0'), [0]);
  assert.deepEqual(parseCpuList('0-2,5,8-9'), [0, 1, 2, 5, 8, 9]);
  assert.deepEqual(parseCpuList(''), []);
  assert.deepEqual(parseCpuList('none'), []);
});

test('this process may use at least one', () => {
  assert.ok(allowedCpus().length > 0 || process.platform !== 'linux');
});
