import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderReference } from './reference.ts';

test('docs/configuration.md is what the schema says (node tools/gen-config.mjs)', () => {
  const page = new URL('../../docs/configuration.md', import.meta.url);
  assert.equal(readFileSync(page, 'utf8'), renderReference());
});

test('every key is explained, and says what is allowed', () => {
  for (const line of renderReference().split('\n')) {
    if (line.startsWith('| `'))
      assert.match(line, /^\| `[a-z0-9_]+` \| [A-Z].*\. \| [^|]+ \| [^|]*\|$/);
  }
});
