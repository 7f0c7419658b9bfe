/**
 * Rule: a file imports its own folder or a lower floor, never up, never sideways; the floors that
 * run anywhere import no package and nothing of Node. Tests may import what they like.
 * @module
 */
import { posix } from 'node:path';
import { walk } from './source.mjs';

/** Folder of src/ -> floor. */
export const FLOORS = {
  base: 0,
  wire: 1,
  storage: 1,
  shared: 1,
  link: 2,
  flow: 3,
  net: 3,
  tcp: 4,
  udp: 4,
  ping: 4,
  stack: 5,
  testing: 6,
  config: 7,
  dpdk: 7,
  dns: 8,
  runtime: 8,
  bridge: 9,
  control: 9,
  metrics: 10,
  node: 10,
  app: 12,
  dashboard: 11,
  lcore: 11,
  cli: 13,
};

/** Below this floor nothing but the language: no Node, no package. */
const NODE_FLOOR = 7;

/** Violations of one parsed file of src/, as sentences. */
export function checkImports(source) {
  const folder = folderOf(source.path);
  if (source.isTest || folder === null) return [];
  const floor = FLOORS[folder];
  if (floor === undefined) return [`${source.path}: src/${folder} is not in the table of floors`];
  const violations = [];
  for (const { specifier, line } of imports(source)) {
    const where = `${source.path}:${line}: imports '${specifier}'`;
    if (!specifier.startsWith('.')) {
      if (floor < NODE_FLOOR)
        violations.push(`${where}, but floor ${floor} imports no package and no Node`);
      else if (!specifier.startsWith('node:') && !/^[@a-z]/.test(specifier)) violations.push(where);
      continue;
    }
    if (!specifier.endsWith('.ts')) violations.push(`${where} without its .ts`);
    const target = folderOf(posix.join(posix.dirname(source.path), specifier));
    if (target === folder) continue;
    const targetFloor = target === null ? undefined : FLOORS[target];
    if (targetFloor === undefined || targetFloor >= floor) {
      violations.push(`${where}, which is not below floor ${floor} (${folder})`);
    }
  }
  return violations;
}

/** The folder of src/ a path lies in; null for src/index.ts, which may import everything. */
function folderOf(path) {
  const parts = path.split('/');
  return parts[0] === 'src' && parts.length > 2 ? parts[1] : null;
}

function imports(source) {
  const found = [];
  walk(source.program, (node) => {
    const names = [
      'ImportDeclaration',
      'ExportNamedDeclaration',
      'ExportAllDeclaration',
      'ImportExpression',
      'TSImportType',
    ];
    if (!names.includes(node.type)) return true;
    const specifier = (node.source ?? node.argument)?.value;
    if (typeof specifier === 'string') found.push({ specifier, line: source.lineAt(node.start) });
    return true;
  });
  return found;
}
