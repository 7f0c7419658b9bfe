/**
 * How tests ended, kept in node_modules/.cache: a run that is ended goes on where it was, and one of
 * a few groups completes what others have found.
 * @module
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { at } from '../house/root.mjs';

/** What is known of Node `version` with the tests of `suite`: the last that was noted counts. */
export function openLedger(version, suite) {
  const folder = at('node_modules/.cache/node-compat');
  const path = `${folder}/${version}-${suite}.jsonl`;
  mkdirSync(folder, { recursive: true });
  const known = new Map();
  for (const line of existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []) {
    // The last line may be half of one.
    if (!line.endsWith('}')) continue;
    const { name, where, ...result } = JSON.parse(line);
    known.set(`${where} ${name}`, result);
  }
  return {
    /** { outcome, words, isSteady }, undefined when `test` has not been run there. */
    of: (test, where) => known.get(`${where} ${test.name}`),
    note(test, where, { outcome, words, isSteady }) {
      known.set(`${where} ${test.name}`, { outcome, words, isSteady });
      appendFileSync(
        path,
        `${JSON.stringify({ name: test.name, where, outcome, words, isSteady })}\n`,
      );
    },
  };
}
