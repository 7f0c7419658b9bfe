/**
 * Makes constant, in a joined module, what never changes: for tools/bundle.mjs.
 *
 * V8 folds a constant into the machine code when it knows that nobody can assign to it. That it
 * does not know of a function declaration (a name that may be assigned to), and of nothing that
 * the module exports (which lives in a cell that is fetched and checked at each use). So here
 *
 *     export { TX_AT };      becomes   const TX_AT$out = TX_AT; export { TX_AT$out as TX_AT };
 *     function next(c) {}    becomes   const next = function (c) {};    before all other code
 *     at + TX_AT             becomes   at + 1
 *
 * The last keeps bytecode small, by which V8 measures what it inlines. docs/decisions/0008 has
 * what each buys.
 * @module
 */

/** A rollup plugin for the chunks with these names. */
export function constant(names) {
  return {
    name: 'constant',
    renderChunk(code, chunk) {
      if (!names.includes(chunk.name)) return null;
      const steps = [exportCopies, functionsFirst, foldNumbers];
      return {
        code: steps.reduce((text, step) => edited(text, step(text, this.parse(text))), code),
      };
    },
  };
}

/** `edits`: { start, end, text }, apart from each other. */
function edited(code, edits) {
  const ordered = edits.toSorted((a, b) => a.start - b.start);
  let result = '';
  let at = 0;
  for (const { start, end, text } of ordered) {
    result += code.slice(at, start) + text;
    at = end;
  }
  return result + code.slice(at);
}

/** Exports copies, so that the names themselves are the module's own. */
function exportCopies(_code, ast) {
  const exported = ast.body.find((node) => node.type === 'ExportNamedDeclaration');
  if (exported === undefined) return [];
  const variables = new Set(declared(ast, 'let').map(({ id }) => id.name));
  const copies = [];
  const names = exported.specifiers.map(({ local, exported: as }) => {
    if (variables.has(local.name)) return `${local.name} as ${as.name}`;
    copies.push(`const ${local.name}$out = ${local.name};`);
    return `${local.name}$out as ${as.name}`;
  });
  const text = `${copies.join('\n')}\nexport { ${names.join(', ')} };`;
  return [{ start: exported.start, end: exported.end, text }];
}

/** Function declarations become constants; first, since what runs at once may call them. */
function functionsFirst(code, ast) {
  const edits = [];
  const moved = [];
  let previous = 0;
  for (const node of ast.body) {
    if (node.type === 'FunctionDeclaration' && !node.async && !node.generator) {
      const doc = /\/\*\*(?:(?!\*\/).)*\*\/\s*$/s.exec(code.slice(previous, node.start));
      const start = node.start - (doc === null ? 0 : doc[0].length);
      const { name } = node.id;
      moved.push(`${doc?.[0] ?? ''}const ${name} = function ${code.slice(node.id.end, node.end)};`);
      edits.push({ start, end: node.end, text: '' });
    }
    previous = node.end;
  }
  return [{ start: 0, end: 0, text: `${moved.join('\n')}\n` }, ...edits];
}

/** A constant's name, in which case it is no variable's or parameter's. */
const NAME = /^[A-Z][A-Z0-9_]*(\$\d+)?$/;

/** Constant integers take the place of their names. */
function foldNumbers(_code, ast) {
  const values = new Map();
  for (const { id, init } of declared(ast, 'const')) {
    const value = NAME.test(id.name ?? '') ? numberOf(init, values) : Number.NaN;
    if (Number.isInteger(value)) values.set(id.name, value);
  }
  const edits = [];
  visit(ast, (node, parent, key) => {
    if (node.type !== 'Identifier' || !values.has(node.name)) return;
    if (!isUse(parent, key)) return;
    const value = values.get(node.name);
    const text = value < 0 ? `(${value})` : `${value}`;
    edits.push({ start: node.start, end: node.end, text });
  });
  return edits;
}

/** Declarations at the top of the module. */
function declared(ast, kind) {
  const statements = ast.body.filter(
    (node) => node.type === 'VariableDeclaration' && node.kind === kind,
  );
  return statements.flatMap(({ declarations }) => declarations);
}

const OPERATIONS = {
  '|': (a, b) => a | b,
  '&': (a, b) => a & b,
  '<<': (a, b) => a << b,
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
};

/** The number that an expression of known numbers has; NaN for any other. */
function numberOf(node, values) {
  if (node.type === 'Literal' && typeof node.value === 'number') return node.value;
  if (node.type === 'Identifier') return values.get(node.name) ?? Number.NaN;
  if (node.type === 'UnaryExpression' && node.operator === '-') {
    return -numberOf(node.argument, values);
  }
  if (node.type !== 'BinaryExpression') return Number.NaN;
  const operation = OPERATIONS[node.operator] ?? (() => Number.NaN);
  const [left, right] = [numberOf(node.left, values), numberOf(node.right, values)];
  return Number.isNaN(left) || Number.isNaN(right) ? Number.NaN : operation(left, right);
}

/** False where a name declares something, or names a property. */
function isUse(parent, key) {
  if (parent.type === 'VariableDeclarator') return key === 'init';
  if (parent.type === 'MemberExpression') return key === 'object' || parent.computed;
  if (parent.type === 'ExportSpecifier') return false;
  if (parent.type === 'MethodDefinition') return parent.computed;
  if (parent.type === 'Property' || parent.type === 'PropertyDefinition') {
    if (parent.shorthand) throw new Error(`a constant as a shorthand property: ${parent.key.name}`);
    return key === 'value' || parent.computed;
  }
  return true;
}

/** Calls `see(node, parent, key)` for all nodes below `node`. */
function visit(node, see) {
  for (const [key, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type !== 'string') continue;
      see(child, node, key);
      visit(child, see);
    }
  }
}
