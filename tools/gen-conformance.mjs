/**
 * Writes docs/conformance.md from test/conformance/*.txt. `--check` only compares. Fails when a row
 * names a test or a function that is no longer there, or RFC 9293 has a MUST that nothing proves.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import {
  checkNumbers,
  checkRow,
  readLists,
  rowsOf,
  statusOf,
} from '../test/conformance/requirements.mjs';
import { at } from './house/root.mjs';

const target = at('docs/conformance.md');
const texts = new Map();

function read(file) {
  if (!texts.has(file))
    texts.set(file, existsSync(at(file)) ? readFileSync(at(file), 'utf8') : null);
  return texts.get(file);
}

const STATUSES = ['proved', 'differs', 'missing', 'no test'];

function page(lists) {
  return `# Conformance

What the RFCs require of this stack, the code that does it and the test that proves it. Requirements
are in our words and do not replace the RFC's. Generated from \`test/conformance/*.txt\` by
\`node tools/gen-conformance.mjs\`, which fails when a row's test or code is gone.

**proved**: a test shows it. **differs**: we do something else, the row says why (its tests show what).
**missing**: not done, the row says why. **no test**: done, and nothing proves it yet. The numbers are those of RFC 9293's
appendix B; other RFCs number nothing, so their rows name the section.

| RFC | ${STATUSES.join(' | ')} |
|---|${STATUSES.map(() => '--:').join('|')}|
${lists.map(summary).join('\n')}
${lists.map(chapter).join('')}`;
}

function summary(list) {
  const counts = STATUSES.map(
    (status) => rowsOf(list).filter((row) => statusOf(row) === status).length,
  );
  return `| [${list.rfc}](#${list.rfc.toLowerCase().replace(' ', '-')}) ${list.title} | ${counts.join(' | ')} |`;
}

function chapter(list) {
  const intro = list.intro.length === 0 ? '' : `\n${list.intro.join('\n')}\n`;
  return `\n## ${list.rfc}\n${intro}${list.sections.map(table).join('')}`;
}

function table({ title, rows }) {
  const head = '| requirement | | code | proof |\n|---|---|---|---|';
  return `\n### ${title}\n\n${head}\n${rows.map(line).join('\n')}\n`;
}

function line(row) {
  const what = `**${row.id}** ${row.where} | ${forTable(row.text)}`;
  const code = row.code.map(({ file, symbol }) => {
    const link = `[${file.replace(/^src\//, '')}](../${file})`;
    return symbol === '' ? link : `${link} \`${symbol}\``;
  });
  const proof = row.test.map(
    ({ file, name }) => `[${file.replace(/^.*\//, '')}](../${file}) "${forTable(name)}"`,
  );
  if (statusOf(row) === 'no test') proof.push('**no test**');
  if (row.differs !== '') proof.push(`**differs**: ${forTable(row.differs)}`);
  if (row.missing !== '') proof.push(`**missing**: ${forTable(row.missing)}`);
  if (row.note !== '') proof.push(forTable(row.note));
  return `| ${what} | ${code.join('<br>')} | ${proof.join('<br>')} |`;
}

function forTable(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

const lists = readLists(at('.'));
const problems = lists.flatMap((list) => rowsOf(list).flatMap((row) => checkRow(row, read)));
for (const list of lists) if (list.rfc === 'RFC 9293') problems.push(...checkNumbers(list));
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
const text = page(lists);
if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error('docs/conformance.md is old: run `node tools/gen-conformance.mjs`');
  process.exit(1);
}
