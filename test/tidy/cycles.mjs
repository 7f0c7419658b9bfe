/**
 * Rule: no file needs, by whatever way, itself to be loaded first: which of the two would then run
 * before the other depends on who asks. Types, and what is imported later by a call, do not count.
 * @module
 */
import { posix } from 'node:path';
import { walk } from './source.mjs';

/** One sentence for each way back from a file to itself; each cycle is found once. */
export function checkCycles(sources) {
  const needs = new Map(sources.map((source) => [source.path, needed(source)]));
  const violations = [];
  const done = new Set();
  const visit = (path, way) => {
    const since = way.indexOf(path);
    if (since >= 0) violations.push(`in a circle: ${[...way.slice(since), path].join(' -> ')}`);
    if (since >= 0 || done.has(path)) return;
    for (const next of needs.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of needs.keys()) visit(path, []);
  return violations;
}

/** The paths of the files that are loaded before this one runs. */
function needed(source) {
  const found = new Set();
  walk(source.program, (node) => {
    const isStatic = /^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type);
    const specifier = isStatic ? node.source?.value : undefined;
    if (specifier?.startsWith('.') && !isOfTypes(node)) {
      found.add(posix.join(posix.dirname(source.path), specifier));
    }
    return true;
  });
  return found;
}

function isOfTypes({ importKind, exportKind, specifiers = [] }) {
  if (importKind === 'type' || exportKind === 'type') return true;
  const kinds = specifiers.map((one) => one.importKind ?? one.exportKind);
  return kinds.length > 0 && kinds.every((kind) => kind === 'type');
}
