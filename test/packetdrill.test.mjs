/**
 * Our own packetdrill scripts: every script of test/packetdrill passes, from the peer's sequence
 * number 0 on and with numbers that wrap in the middle of the script.
 * @module
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { drill } from '../dist/testing/packetdrill/run.js';

const folder = fileURLToPath(new URL('packetdrill/', import.meta.url));
const scripts = readdirSync(folder, { recursive: true })
  .filter((path) => path.endsWith('.pkt'))
  .sort();

/** Wraps 500 bytes into the peer's stream. */
const WRAPS = 0xfffffe00;

for (const path of scripts) {
  test(path, () => {
    const source = readFileSync(folder + path, 'utf8');
    for (const remoteIsn of [0, WRAPS]) {
      const { status, line, message, notes } = drill(source, { strict: true, remoteIsn });
      const where = `test/packetdrill/${path}:${line}`;
      assert.equal(status, 'passed', `${where}, peer's numbers from ${remoteIsn}: ${message}`);
      assert.deepEqual(notes, []);
    }
  });
}

test('the cells are those that the table of tools/gen-cells.mjs makes', () => {
  const tool = fileURLToPath(new URL('../tools/gen-cells.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [tool, '--check'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

test('the example of docs/packetdrill.md', () => {
  const page = readFileSync(
    fileURLToPath(new URL('../docs/packetdrill.md', import.meta.url)),
    'utf8',
  );
  const { status, line, message } = drill(page.match(/```\n([\s\S]*?)```/)[1], { strict: true });
  assert.equal(status, 'passed', `line ${line} of the example: ${message}`);
});
