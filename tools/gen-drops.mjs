/**
 * Writes docs/drops.md from src/base/drops.ts. `--check` only compares.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readDrops } from '../test/tidy/drops.mjs';
import { at } from './house/root.mjs';

const target = at('docs/drops.md');
const drops = readDrops(readFileSync(at('src/base/drops.ts'), 'utf8'));
const text = `# Drops

Every reason for which the stack drops a frame, packet or segment. The word is the same in the
counters, the traces and the code. Generated from \`src/base/drops.ts\` by \`tools/gen-drops.mjs\`.

| drop | meaning |
|---|---|
${drops.map(({ name, meaning }) => `| \`${name}\` | ${meaning} |`).join('\n')}
`;

if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error('docs/drops.md differs from src/base/drops.ts: run `node tools/gen-drops.mjs`');
  process.exit(1);
}
