/**
 * The house rules, checked: import direction, hot-path style, sizes, names, words, drops.
 *
 * Each rule is a function of a path and a text (test/tidy/), so that its own test can plant a
 * violation in a string and see that it is found.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkCycles } from './tidy/cycles.mjs';
import { checkDrops } from './tidy/drops.mjs';
import { checkHotPath } from './tidy/hot-path.mjs';
import { checkImports } from './tidy/imports.mjs';
import { parse } from './tidy/source.mjs';
import { checkLength, checkLinks, checkName, checkWords } from './tidy/text.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(`${root}${path}`, 'utf8');

/** What git has or would add; without git, what lies there and is not made by a tool. */
function projectFiles() {
  if (existsSync(`${root}.git`)) {
    const args = ['-C', root, 'ls-files', '-co', '--exclude-standard'];
    const files = execFileSync('git', args, { encoding: 'utf8' }).trimEnd().split('\n');
    return files.filter((path) => existsSync(root + path));
  }
  const made = new Set(['node_modules', 'dist', 'build', '.git']);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      `${entry.parentPath ?? entry.path}/${entry.name}`.replace(root, '').replace(/^\//, ''),
    )
    .filter((path) => !path.split('/').some((part) => made.has(part)));
}

const files = projectFiles();
const texts = files.filter((path) => /\.(ts|mjs|js|c|h|md|json|toml|html)$|^\.ci\//.test(path));
const sources = files
  .filter((path) => /\.(ts|mjs)$/.test(path) && !path.endsWith('.gen.ts'))
  .map((path) => parse(path, read(path)));

const none = (violations) => assert.deepEqual(violations, []);

test('the project has sources, and hot ones among them', () => {
  assert.ok(sources.length > 20);
  assert.ok(sources.some((source) => source.isHot));
});

test('imports go down the floors', () => none(sources.flatMap(checkImports)));

test('no file needs itself', () => none(checkCycles(sources)));

test('hot-path functions allocate nothing and are short', () =>
  none(sources.flatMap(checkHotPath)));

test('files and functions are of readable length', (t) => {
  const found = sources.map(checkLength);
  for (const warning of found.flatMap(({ warnings }) => warnings)) t.diagnostic(warning);
  none(found.flatMap(({ violations }) => violations));
});

test('names say what a file is', () => none(files.flatMap(checkName)));

test('no leftovers in code, no path of one machine', () => {
  none(
    texts
      .filter((path) => path !== 'package-lock.json')
      .flatMap((path) => checkWords(path, read(path))),
  );
});

test('links between documents lead somewhere', () => {
  const pages = files.filter((path) => path.endsWith('.md'));
  assert.ok(pages.length > 5);
  none(
    pages.flatMap((path) => checkLinks(path, read(path), (target) => existsSync(root + target))),
  );
});

test('every drop is unique, well named and documented', () => {
  none(checkDrops(read('src/base/drops.ts'), read('docs/drops.md')));
});

test('generated files are up to date', () => {
  for (const tool of ['gen-layout', 'gen-drops', 'gen-conformance'].map(
    (name) => `tools/${name}.mjs`,
  )) {
    const { status, stderr } = spawnSync(process.execPath, [root + tool, '--check'], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  }
});

// The rules themselves: each must find what is planted, and nothing in what is right.

const found = (check, path, text, pattern) => {
  const violations = check(parse(path, text)).violations ?? check(parse(path, text));
  assert.equal(violations.length, 1, violations.join('\n'));
  assert.match(violations[0], pattern);
};

const BAD_IMPORTS = [
  ['up', 'src/base/seq.ts', `import { x } from '../net/net.ts';`],
  ['up, for a type', 'src/link/link.ts', `import type { X } from '../stack/stack.ts';`],
  ['sideways', 'src/tcp/sender.ts', `export * from '../udp/udp.ts';`],
  ['a type in place', 'src/tcp/sender.ts', `let x: import('../udp/udp.ts').Udp;`],
  ['from below a folder', 'src/net/neighbor/arp.ts', `import { x } from '../../tcp/tcp.ts';`],
  ['Node', 'src/stack/stack.ts', `import { readFileSync } from 'node:fs';`],
  ['Node, later', 'src/wire/ipv4.ts', `const fs = await import('node:fs');`],
  ['a package', 'src/testing/random.ts', `import fc from 'fast-check';`],
  ['the front door', 'src/net/net.ts', `import { x } from '../index.ts';`],
  ['an unknown folder', 'src/magic/wand.ts', ''],
];
for (const [what, path, text] of BAD_IMPORTS) {
  test(`checkImports() finds an import that goes wrong: ${what}`, () => {
    found(checkImports, path, text, /not below floor|imports no package|table of floors/);
  });
}

test('checkImports() lets through what goes down, and tests', () => {
  none(checkImports(parse('src/net/neighbor/arp.ts', `import { x } from '../../base/seq.ts';`)));
  none(checkImports(parse('src/runtime/loop.ts', `import { x } from 'node:fs';`)));
  none(checkImports(parse('src/net/net.test.ts', `import { x } from '../stack/stack.ts';`)));
});

test('checkCycles() names the way back, once, and lets types and later imports through', () => {
  const cycles = (...texts) =>
    checkCycles(texts.map((text, index) => parse(`src/net/${'abc'[index]}.ts`, text)));
  assert.deepEqual(
    cycles(
      `import { b } from './b.ts';`,
      `export * from './c.ts';`,
      `import './b.ts'; import { type A, a } from './a.ts';`,
    ),
    [
      'in a circle: src/net/b.ts -> src/net/c.ts -> src/net/b.ts',
      'in a circle: src/net/a.ts -> src/net/b.ts -> src/net/c.ts -> src/net/a.ts',
    ],
  );
  none(
    cycles(
      `import { b } from './b.ts'; import { c } from './c.ts';`,
      `import type { A } from './a.ts'; import { type A2 } from './a.ts'; import { c } from './c.ts';`,
      `export type { A } from './a.ts'; const a = () => import('./a.ts');`,
    ),
  );
});

const BAD_HOT = [
  ['new', 'const a = new Foo();'],
  ['object literal', 'return { a: 1 };'],
  ['array literal', 'return [1];'],
  ['spread', 'f(...a);'],
  ['closure', 'const g = () => 1;'],
  ['inner function', 'function g() {}'],
  ['try', 'try { f(); } catch {}'],
  ['template', 'return `x`;'],
  ['BigInt', 'return 1n;'],
  ['for..of', 'for (const a of b) f(a);'],
  ['subarray', 'return a.subarray(1);'],
];
for (const [what, body] of BAD_HOT) {
  test(`checkHotPath() finds: ${what}`, () => {
    found(
      checkHotPath,
      'src/net/a.ts',
      `/** x   hot path */\nfunction f(a, b) { ${body} }`,
      /hot path/,
    );
    found(
      checkHotPath,
      'src/net/a.ts',
      `/** x   hot path */\nclass C { m(a, b) { ${body} } }`,
      /hot path/,
    );
  });
}

test('checkHotPath() finds async, generators and long functions', () => {
  found(checkHotPath, 'src/a/a.ts', '/** hot path */\nasync function f() {}', /async/);
  found(checkHotPath, 'src/a/a.ts', '/** hot path */\nfunction* f() {}', /generator/);
  const long = 'x();\n'.repeat(40);
  found(checkHotPath, 'src/a/a.ts', `/** hot path */\nfunction f() {\n${long}}`, /42 lines/);
});

test('checkHotPath() lets through module scope, constructors, fields and cold files', () => {
  const text = 'const t = [new A()];\nclass C { a = [1]; constructor() { this.b = { c: `d` }; } }';
  none(checkHotPath(parse('src/net/a.ts', `/** hot path */\n${text}`)));
  none(checkHotPath(parse('src/net/a.ts', '/** cold */\nfunction f() { return [1]; }')));
  const excused = '/** Makes one; cold: once per socket. */\nexport function f() { return [1]; }';
  none(checkHotPath(parse('src/net/a.ts', `/** hot path */\nlet a;\n${excused}`)));
  const method = 'class C {\n  // cold: once\n  f() { return [1]; }\n  g() { return [1]; }\n}';
  assert.equal(checkHotPath(parse('src/net/a.ts', `/** hot path */\n${method}`)).length, 1);
});

test('checkLength() finds long files and functions, and does not count comments', () => {
  found(checkLength, 'src/a/a.ts', 'x();\n'.repeat(601), /601 lines/);
  found(checkLength, 'src/a/a.ts', `function f() {\n${'x();\n'.repeat(69)}}`, /71 lines/);
  const commented = `function f() {\n${'// why\n'.repeat(80)}${'x();\n'.repeat(68)}}`;
  none(checkLength(parse('src/a/a.ts', commented)).violations);
  assert.equal(checkLength(parse('src/a/a.ts', 'x();\n'.repeat(401))).warnings.length, 1);
});

test('checkName() finds names that say nothing and names in another style', () => {
  for (const path of [
    'src/net/utils.ts',
    'src/net/helper.ts',
    'src/net/PathTable.ts',
    'src/net/path_table.ts',
  ]) {
    assert.equal(checkName(path).length, 1, path);
  }
  none(
    ['src/net/path-table.ts', 'src/net/path.test.ts', 'native/src/soft_nic.c', 'README.md'].flatMap(
      checkName,
    ),
  );
});

test('checkWords() finds leftovers and paths of one machine', () => {
  assert.equal(checkWords('src/a.ts', `// ${'TO'}DO later`).length, 1);
  assert.equal(checkWords('src/a.ts', `// ${'FIX'}ME`).length, 1);
  for (const place of ['work', 'home', 'root', 'tmp']) {
    assert.equal(checkWords('docs/a.md', `see '/${place}/x/y'`).length, 1, place);
  }
  none(checkWords('docs/a.md', 'see ./work/x, https://a.example/tmp/x and /dev/net/tun'));
});

test('checkLinks() finds links that lead nowhere', () => {
  const exists = (path) => path === 'docs/b.md' || path === 'README.md';
  none(
    checkLinks(
      'docs/a.md',
      '[b](b.md) [c](b.md#c) [up](../README.md) [web](https://a.example)',
      exists,
    ),
  );
  assert.match(
    checkLinks('docs/a.md', 'see\n[b](c.md)', exists)[0],
    /^docs\/a\.md:2: .*docs\/c\.md/,
  );
});

test('checkDrops() finds twins, bad names, missing sentences and missing documentation', () => {
  const docs = '| `arp_bad` | It is bad. |';
  const good = `export const ARP_BAD = drop('arp_bad', 'It is bad.');\n`;
  none(checkDrops(good, docs));
  assert.match(checkDrops(good + good, docs)[0], /twice/);
  assert.match(checkDrops(good, '')[0], /docs\/drops\.md/);
  assert.match(
    checkDrops(
      `export const ARPBAD = drop('arpBad', 'It is bad.');`,
      '| `arpBad` | It is bad. |',
    )[0],
    /snake_case/,
  );
  assert.match(
    checkDrops(`export const ARP_BAD = drop('arp_bad', 'bad');`, '| `arp_bad` | bad |')[0],
    /sentence/,
  );
  assert.match(
    checkDrops(`export const ARP_BAD = drop(name, 'It is bad.');`, docs)[0],
    /can be read/,
  );
});
