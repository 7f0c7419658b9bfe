/**
 * The requirements of the RFCs, as test/conformance/*.txt list them, and what is wrong with a list.
 *
 *     = RFC 9293 | Transmission Control Protocol
 *     A sentence or two about the whole.
 *
 *     == Opening
 *
 *     MUST-10 (3.5) Two sides may open at the same time.
 *       code src/tcp/handshake.ts synSent
 *       test src/tcp/open.test.ts: SYN-SENT: a SYN without ACK is a simultaneous open
 *       note what else a reader should know
 *
 * `differs` in place of `note` says that we do something else, and why; `missing` that we do not do
 * it, and why. A row may have several `code` and `test` lines. A test is named as its file names it,
 * with any `${...}` filled in; code is a file and the function, class or constant in it.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';

const ROW = /^((?:MUST|SHLD|MAY|REC|CASE)(?:-\d+)?) \(([^)]+)\) (\S.*)$/;
const DETAIL = /^ {2}(code|test|note|differs|missing) (\S.*)$/;

/** One list: { rfc, title, intro, sections: [{ title, rows }] }; a row: { id, section, text, ... }. */
export function parseList(path, text) {
  const list = { path, rfc: '', title: '', intro: [], sections: [] };
  let row = null;
  for (const [index, line] of text.split('\n').entries()) {
    const at = `${path}:${index + 1}`;
    const section = list.sections.at(-1);
    const isRow = ROW.exec(line);
    const isDetail = DETAIL.exec(line);
    if (line === '') row = null;
    else if (line.startsWith('= ')) [list.rfc, list.title] = line.slice(2).split(' | ');
    else if (line.startsWith('== ')) list.sections.push({ title: line.slice(3), rows: [] });
    else if (isRow !== null && section !== undefined) {
      const [, id, where, what] = isRow;
      row = { id, where, text: what, at, code: [], test: [], note: '', differs: '', missing: '' };
      section.rows.push(row);
    } else if (isDetail !== null && row !== null) addDetail(row, isDetail[1], isDetail[2]);
    else if (section === undefined && !line.startsWith(' ')) list.intro.push(line);
    else throw new Error(`${at}: neither a requirement nor a detail of one: ${line}`);
  }
  return list;
}

function addDetail(row, kind, value) {
  if (kind === 'code') {
    const [file, symbol = ''] = value.split(' ');
    row.code.push({ file, symbol });
  } else if (kind === 'test') {
    const colon = value.indexOf(': ');
    row.test.push({ file: value.slice(0, colon), name: value.slice(colon + 2) });
  } else row[kind] += row[kind] === '' ? value : ` ${value}`;
}

/** Every list of the folder, RFC 9293's first; `root` ends with a slash. */
export function readLists(root) {
  const folder = 'test/conformance/';
  return readdirSync(root + folder)
    .filter((name) => name.endsWith('.txt'))
    .map((name) => parseList(folder + name, readFileSync(root + folder + name, 'utf8')))
    .sort((a, b) => order(a) - order(b));
}

/** RFC 9293 first, then by number, then what is no RFC. */
function order(list) {
  if (list.rfc === 'RFC 9293') return 0;
  return list.rfc.startsWith('RFC ') ? Number(list.rfc.slice(4)) : Number.MAX_SAFE_INTEGER;
}

export function rowsOf(list) {
  return list.sections.flatMap((section) => section.rows);
}

/** 'proved', 'differs', 'missing' or 'no test'. */
export function statusOf(row) {
  if (row.missing !== '') return 'missing';
  if (row.differs !== '') return 'differs';
  return row.test.length > 0 ? 'proved' : 'no test';
}

/**
 * What is wrong with a row, as sentences. `read(file)` gives a file's text, or null when there is
 * none.
 */
export function checkRow(row, read) {
  const problems = [];
  if (row.code.length === 0 && row.missing === '')
    problems.push(`${row.at}: ${row.id} names no code`);
  for (const { file, symbol } of row.code) {
    const text = read(file);
    if (text === null) problems.push(`${row.at}: there is no ${file}`);
    else if (symbol !== '' && !declares(text, symbol)) {
      problems.push(`${row.at}: ${file} declares no ${symbol}`);
    }
  }
  for (const { file, name } of row.test) {
    const text = read(file);
    if (text === null) problems.push(`${row.at}: there is no ${file}`);
    else if (!hasTest(text, name)) problems.push(`${row.at}: ${file} has no test '${name}'`);
  }
  return problems;
}

function declares(text, symbol) {
  const name = symbol.replaceAll('$', '\\$');
  const declaration = `\\b(?:function|const|class|interface|get) ${name}\\b`;
  const member = `^ {2}(?:readonly |static |get )*${name}(?:\\(| =|:)`;
  return new RegExp(`${declaration}|${member}`, 'm').test(text);
}

/**
 * True when the file has a test of that name: test('name' ...). What stands for a `${...}` has to
 * occur in the file.
 */
function hasTest(text, name) {
  for (const [, quote, title] of text.matchAll(/\btest\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g)) {
    const plain = title.replaceAll(/\\(['"`])/g, '$1');
    if (plain === name) return true;
    if (quote !== '`' || !plain.includes('${')) continue;
    const pattern = plain
      .split(/\$\{[^}]*\}/)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('(.*)');
    const filled = new RegExp(`^${pattern}$`).exec(name);
    if (filled?.slice(1).every((part) => text.includes(part))) return true;
  }
  return false;
}

/** The numbers that appendix B of RFC 9293 gives out. */
const NUMBERED = { MUST: 69, SHLD: 31, MAY: 18, REC: 1 };

/** Numbers of RFC 9293 that are not there, are there twice, or are a MUST that nothing proves. */
export function checkNumbers(list) {
  const problems = [];
  const rows = new Map();
  for (const row of rowsOf(list)) {
    if (rows.has(row.id)) problems.push(`${row.at}: ${row.id} is there twice`);
    rows.set(row.id, row);
  }
  for (const [kind, last] of Object.entries(NUMBERED)) {
    for (let n = 1; n <= last; n++) {
      const row = rows.get(`${kind}-${n}`);
      if (row === undefined) problems.push(`${list.path}: ${kind}-${n} is not there`);
      else if (kind === 'MUST' && row.test.length === 0) {
        problems.push(`${row.at}: ${row.id} has no test`);
      }
      rows.delete(`${kind}-${n}`);
    }
  }
  for (const id of rows.keys()) problems.push(`${list.path}: RFC 9293 has no ${id}`);
  return problems;
}
