/**
 * Makes src/link/layout.gen.ts from native/src/layout.h, the one source of the shared layout.
 * With --check it writes nothing and fails when the committed file differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);
const header = readFileSync(new URL('native/src/layout.h', root), 'utf8');
const target = new URL('src/link/layout.gen.ts', root);

const lines = ['// Generated from native/src/layout.h by tools/gen-layout.mjs. Do not edit.', ''];
for (const line of header.split('\n')) {
  const define = line.match(/^#define ([A-Z0-9_]+) (-?\d+)$/);
  const comment = line.match(/^\/\* (.*) \*\/$/);
  if (define) lines.push(`export const ${define[1]} = ${define[2]};`);
  else if (comment) lines.push(`// ${comment[1]}`);
  else if (line.trim() === '' && lines.at(-1) !== '') lines.push('');
}
const text = `${lines.join('\n').trimEnd()}\n`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error(
      'src/link/layout.gen.ts differs from native/src/layout.h: run `node tools/gen-layout.mjs`',
    );
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
