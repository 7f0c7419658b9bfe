/**
 * Rule: in a file whose first comment says `hot path`, functions allocate nothing and are short.
 *
 * Module scope, constructors and field initialisers may allocate: they run once. So may a function
 * whose comment has `cold:` and a reason ("cold: once per socket").
 * @module
 */
import { countCode, isFunction, walk } from './source.mjs';

/** Lines of code of one function. */
const LONGEST_FUNCTION = 40;

const FORBIDDEN = {
  NewExpression: '`new`',
  ObjectExpression: 'an object literal',
  ArrayExpression: 'an array literal',
  SpreadElement: 'a spread',
  RestElement: 'a rest parameter',
  ArrayPattern: 'array destructuring',
  TryStatement: '`try`',
  TemplateLiteral: 'a template string',
  ForOfStatement: '`for..of`',
  ForInStatement: '`for..in`',
  AwaitExpression: '`await`',
  YieldExpression: '`yield`',
  ClassExpression: 'a class',
};

/** Violations of one parsed file, as sentences. */
export function checkHotPath(source) {
  if (!source.isHot || source.isTest || !source.path.startsWith('src/')) return [];
  const violations = [];
  walk(source.program, (node, ancestors) => {
    if (!isFunction(node)) return true;
    const parent = ancestors.at(-1);
    if (parent?.type === 'MethodDefinition' && parent.kind === 'constructor') return false;
    if (isCold(source, node, ancestors)) return false;
    checkFunction(source, node, nameOf(node, parent), violations);
    return false;
  });
  return violations;
}

function checkFunction(source, fn, name, violations) {
  const report = (node, what) => {
    violations.push(
      `${source.path}:${source.lineAt(node.start)}: ${what} in ${name}, on the hot path`,
    );
  };
  const lines = countCode(source, fn.start, fn.end);
  if (lines > LONGEST_FUNCTION) report(fn, `${lines} lines of code (at most ${LONGEST_FUNCTION})`);
  if (fn.async) report(fn, '`async`');
  if (fn.generator) report(fn, 'a generator');
  walk(fn, (node) => {
    if (node === fn) return true;
    if (node.type.startsWith('TS') && node.type.endsWith('Type')) return false;
    if (isFunction(node)) report(node, 'a closure');
    else if (FORBIDDEN[node.type] !== undefined) report(node, FORBIDDEN[node.type]);
    else if (node.type === 'Literal' && 'bigint' in node) report(node, 'a BigInt');
    else if (isCallOf(node, 'subarray')) report(node, '`subarray()`');
    return true;
  });
}

/** True when the comment right above the function says so. */
function isCold(source, fn, ancestors) {
  const starts = [fn, ...ancestors.slice(-3)].map((node) => node.start);
  return source.comments.some(
    ({ end, value }) =>
      /\bcold: \w/.test(value) &&
      starts.some((start) => start >= end && source.text.slice(end, start).trim() === ''),
  );
}

function isCallOf(node, name) {
  return (
    node.type === 'CallExpression' &&
    node.callee.type === 'MemberExpression' &&
    node.callee.property.name === name
  );
}

function nameOf(fn, parent) {
  const name = fn.id?.name ?? parent?.key?.name ?? parent?.id?.name ?? 'a function';
  return `${name}()`;
}
