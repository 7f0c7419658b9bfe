/**
 * Rules about size, names, words and links.
 * @module
 */
import { posix } from 'node:path';
import { countCode, isFunction, walk } from './source.mjs';

const LONG_FILE = 400;
const LONGEST_FILE = 600;
const LONGEST_FUNCTION = 70;

/** { violations, warnings } about the length of one parsed file and its functions. */
export function checkLength(source) {
  const violations = [];
  const warnings = [];
  const lines = source.codeLines.filter(Boolean).length;
  if (lines > LONGEST_FILE) {
    violations.push(`${source.path}: ${lines} lines of code (at most ${LONGEST_FILE})`);
  } else if (lines > LONG_FILE) {
    warnings.push(`${source.path}: ${lines} lines of code; think of cutting it (${LONG_FILE})`);
  }
  if (source.isTest) return { violations, warnings };
  walk(source.program, (node) => {
    if (!isFunction(node)) return true;
    const length = countCode(source, node.start, node.end);
    if (length > LONGEST_FUNCTION) {
      const at = `${source.path}:${source.lineAt(node.start)}`;
      violations.push(`${at}: a function of ${length} lines of code (at most ${LONGEST_FUNCTION})`);
    }
    return true;
  });
  return { violations, warnings };
}

/** Names that say nothing, and names that are not kebab-case. */
export function checkName(path) {
  const name = posix.basename(path);
  if (!/\.(ts|mjs|c|h)$/.test(name)) return [];
  const stem = name.replace(/\..*$/, '');
  if (/^(utils?|helpers?|common|misc)$/.test(stem))
    return [`${path}: '${stem}' says nothing; name it for what it is`];
  if (
    /\.(c|h)$/.test(name)
      ? !/^[a-z][a-z0-9_]*$/.test(stem)
      : !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(stem)
  ) {
    return [`${path}: not kebab-case`];
  }
  return [];
}

// Written so that this file does not find itself.
const LEFTOVER = new RegExp(
  `\\b(${['TO', 'FIX', 'XX'].map((w, i) => w + ['DO', 'ME', 'X'][i]).join('|')})\\b`,
);
const PLACE = new RegExp(`(?<![\\w.$}])/(${['work', 'home', 'root', 'tmp'].join('|')})/[\\w.-]`);

/** Leftover notes in code, and paths of one machine anywhere. */
export function checkWords(path, text) {
  const violations = [];
  const isCode = /\.(ts|mjs|js|c|h)$/.test(path);
  for (const [index, line] of text.split('\n').entries()) {
    const at = `${path}:${index + 1}`;
    if (isCode && LEFTOVER.test(line)) violations.push(`${at}: a leftover: ${line.trim()}`);
    if (PLACE.test(line)) violations.push(`${at}: a path of one machine: ${line.trim()}`);
  }
  return violations;
}

/** Relative links of a Markdown page to files that are not there. `exists` takes a project path. */
export function checkLinks(path, text, exists) {
  const violations = [];
  for (const [index, line] of text.split('\n').entries()) {
    for (const [, link] of line.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const target = posix.join(posix.dirname(path), link);
      if (!exists(target)) violations.push(`${path}:${index + 1}: no such file: ${target}`);
    }
  }
  return violations;
}
