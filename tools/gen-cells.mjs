/**
 * Writes test/packetdrill/cells: one script for each state of a connection and kind of segment.
 *
 *     node tools/gen-cells.mjs [--check]
 *
 * What is expected comes from RFC 9293 3.10.7, with the checks of RFC 5961, not from the stack; where
 * those leave a choice, docs/decisions/0012-cells.md says which is ours. `--check` compares with what
 * lies there and ends with exit status 1 when it differs.
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { synReceivedCells, synSentCells, unsynchronizedCells } from './cells/opening.mjs';
import * as Prelude from './cells/preludes.mjs';
import { SYNCHRONIZED, synchronizedCells } from './cells/synchronized.mjs';
import { at } from './house/root.mjs';

const folder = at('test/packetdrill/cells/');

/** Every script by its path below test/packetdrill/cells. */
function scripts() {
  const found = new Map();
  const add = (state, prelude, cells) => {
    for (const [kind, [packet, why, then]] of Object.entries(cells)) {
      const title = `// ${state.toUpperCase()}: ${kind.replaceAll('-', ' ')}. ${why}.`;
      const before = prelude === '' ? '0' : `${prelude}\n\n+0`;
      found.set(`${state}/${kind}.pkt`, `${title}\n${before} ${packet}\n${then}\n`);
    }
  };
  add('closed', '', unsynchronizedCells('closed'));
  add('listen', Prelude.LISTEN, unsynchronizedCells('listen'));
  add('syn-sent', Prelude.SYN_SENT, synSentCells());
  add('syn-received', Prelude.SYN_RECEIVED, synReceivedCells());
  for (const [name, state] of Object.entries(SYNCHRONIZED)) {
    add(name, state.prelude, synchronizedCells(name, state));
  }
  return found;
}

const wanted = scripts();
if (process.argv.includes('--check')) {
  const there = existsSync(folder)
    ? readdirSync(folder, { recursive: true }).filter((path) => path.endsWith('.pkt'))
    : [];
  const wrong = [...new Set([...there, ...wanted.keys()])].filter(
    (path) => !there.includes(path) || readFileSync(folder + path, 'utf8') !== wanted.get(path),
  );
  if (wrong.length > 0) {
    console.error(`run node tools/gen-cells.mjs: ${wrong.slice(0, 5).join(', ')}`);
    process.exitCode = 1;
  }
} else {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of wanted) {
    mkdirSync(folder + path.split('/')[0], { recursive: true });
    writeFileSync(folder + path, text);
  }
  console.log(`${wanted.size} scripts in test/packetdrill/cells`);
}
