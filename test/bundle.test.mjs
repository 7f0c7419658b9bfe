/**
 * What tools/bundle.mjs does to the joined module.
 * @module
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { parseAst } from 'rollup/parseAst';
import { constant } from '../tools/house/constant.mjs';

const SOURCE = `
const first = twice(SHIFT());
/** Shifts. */
function SHIFT() { return 1; }
/** Doubles. */
function twice(n) { return n * TWO; }
const TWO = 2;
const MASK = (1 << TWO) - 1;
const LEAST = -MASK;
class Box { MASK = MASK; static TWO = TWO; least() { return this.MASK + LEAST; } }
let changed = 0;
function change() { changed += MASK; return { MASK: LEAST }; }
export { twice as double, MASK, Box, changed, change, first };
`;

const render = (source, name) =>
  constant(['stack']).renderChunk.call({ parse: parseAst }, source, { name });
const load = (code) => import(`data:text/javascript,${encodeURIComponent(code)}`);

test('constant() leaves other chunks alone', () => {
  assert.equal(render(SOURCE, 'cli'), null);
});

test('constant() keeps what a module means', async () => {
  const { code } = render(SOURCE.replace('n * TWO', 'n * 2'), 'stack');
  const module = await load(code);
  assert.equal(module.first, 2);
  assert.equal(module.double(4), 8);
  assert.equal(module.double.name, 'twice');
  assert.equal(module.MASK, 3);
  assert.equal(module.Box.TWO, 2);
  assert.equal(new module.Box().least(), 0);
  assert.deepEqual(module.change(), { MASK: -3 });
  assert.equal(module.changed, 3);
});

test('constant() makes functions constants that come first, with their comments', () => {
  const { code } = render(SOURCE, 'stack');
  assert.match(code, /^\s*\/\*\* Shifts\. \*\/\s*const SHIFT = function \(\)/);
  assert.doesNotMatch(code, /\bfunction \w/);
});

test('constant() puts numbers in the place of their names, and exports copies', () => {
  const { code } = render(SOURCE, 'stack');
  assert.match(code, /return n \* 2;/);
  assert.match(code, /return this\.MASK \+ \(-3\);/);
  assert.match(code, /changed \+= 3;/);
  assert.match(code, /const MASK\$out = 3;/);
  assert.match(code, /twice\$out as double/);
  assert.match(code, /[{ ]changed[, ]/);
});
