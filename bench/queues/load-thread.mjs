/**
 * One thread of the load: its connections over the stack of its queue, or over the kernel.
 * Answers 'open', 'start' and 'units'.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Address } from 'dpdk-net/stack';
import { openQueue } from '../../dist/runtime/queues.js';
import { makeLoad as onOurStack } from '../lean/loads.mjs';
import { makeLoad as onKernel } from '../peers/loads.mjs';

const { ticket, one, address, cpu } = workerData;

/** The load over our stack: the loop polls by itself, and has to know of what is written outside it. */
function makeOurs() {
  const { stack, loop } = openQueue(ticket);
  loop.hold();
  const until = async (done) => {
    while (!done()) {
      loop.wake();
      await turn();
    }
  };
  const machine = { until, wait: sleep };
  const load = onOurStack({ machine, stack, address: Address.parse(address) }, one);
  return { load, act: () => loop.wake() };
}

/** The load over the kernel, on a processor of its own as well. */
function makeKernels() {
  const thread = basename(readlinkSync('/proc/thread-self'));
  spawnSync('taskset', ['-pc', String(cpu), thread]);
  return { load: onKernel(address, one), act: () => {} };
}

const { load, act } = ticket === null ? makeKernels() : makeOurs();
parentPort.on('message', async (question) => {
  if (question === 'open') await load.open();
  if (question === 'start') load.start();
  act();
  parentPort.postMessage(load.units);
});
