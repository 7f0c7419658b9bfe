/**
 * A source file as the tidy rules see it: its text, its syntax tree, its comments.
 * @module
 */
import { parseSync } from 'oxc-parser';

/** Parses TypeScript or JavaScript. `path` is relative to the project, with slashes. */
export function parse(path, text) {
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0].message}`);
  const starts = [0];
  for (let i = 0; i < text.length; i++) if (text[i] === '\n') starts.push(i + 1);
  const source = { path, text, program, comments, isTest: /\.test\.m?[tj]s$/.test(path) };
  source.lineAt = (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
  source.codeLines = codeLines(text, comments);
  source.isHot = comments.length > 0 && comments[0].value.includes('hot path');
  return source;
}

/** For each line (from 1) whether it holds code: not blank, not only a comment. */
function codeLines(text, comments) {
  let code = text;
  for (const { start, end } of comments) {
    const blank = text.slice(start, end).replace(/[^\n]/g, ' ');
    code = code.slice(0, start) + blank + code.slice(end);
  }
  return [false, ...code.split('\n').map((line) => line.trim() !== '')];
}

/** How many lines of code lie between two offsets. */
export function countCode(source, start, end) {
  let count = 0;
  for (let line = source.lineAt(start); line <= source.lineAt(end); line++) {
    if (source.codeLines[line]) count++;
  }
  return count;
}

/** Visits every node below `node`; `enter(node, ancestors)` may return false to skip its children. */
export function walk(node, enter, ancestors = []) {
  if (enter(node, ancestors) === false) return;
  ancestors.push(node);
  for (const key of Object.keys(node)) {
    if (key === 'type' || key === 'start' || key === 'end') continue;
    const value = node[key];
    if (Array.isArray(value)) {
      for (const child of value) if (isNode(child)) walk(child, enter, ancestors);
    } else if (isNode(value)) walk(value, enter, ancestors);
  }
  ancestors.pop();
}

function isNode(value) {
  return value !== null && typeof value === 'object' && typeof value.type === 'string';
}

export function isFunction(node) {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}
