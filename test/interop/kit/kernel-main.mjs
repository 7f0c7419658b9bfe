/**
 * The process behind kernel.mjs: runs functions that are sent to it, on the kernel's network.
 * @module
 */
import * as childProcess from 'node:child_process';
import { createHash } from 'node:crypto';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pattern } from './pattern.mjs';

/** What those functions find in their second parameter; `kept` lives from one call to the next. */
const TOOLS = {
  childProcess,
  createHash,
  dgram,
  net,
  once,
  readFileSync,
  sleep,
  Pattern,
  kept: new Map(),
};

process.on('message', async ({ id, source, args }) => {
  try {
    // A function's text is an expression once it stands in parentheses.
    const run = Function(`return (${source})`)();
    process.send({ id, result: await run(args, TOOLS) });
  } catch (error) {
    process.send({ id, error: error.stack ?? String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
