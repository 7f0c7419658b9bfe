/**
 * `npm run ok`: the gate before a commit, and what CI runs. Format, lint, generated files, types,
 * tidy and tests, in that order; all of them run, the end says which did not pass.
 * @module
 */
import { CommandError, fail, show, step } from './house/command.mjs';
import { at } from './house/root.mjs';
import { setup } from './setup.mjs';

const node = process.execPath;
const biome = at('node_modules/@biomejs/biome/bin/biome');

const CHECKS = [
  ['format, imports, lint', [biome, 'check', '--max-diagnostics=20', '--error-on-warnings', '.']],
  ['generated files', [at('tools/gen-layout.mjs'), '--check']],
  ['types', [at('node_modules/typescript/bin/tsc'), '-b']],
  ['tidy', ['--test', '--test-reporter=dot', at('test/tidy.test.mjs')]],
];

async function main() {
  for (const problem of await setup({ test: true })) console.log(`note: ${problem}`);
  const failed = [];
  for (const [name, args] of CHECKS) {
    try {
      await step(name, node, args, { cwd: at('.') });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failed.push(name);
      console.log(`${error.output}\n  ${name}: NOT ok`);
    }
  }
  if ((await show(node, [at('tools/test.mjs')], { cwd: at('.') })) !== 0) failed.push('tests');
  console.log(failed.length === 0 ? 'ok' : `not ok: ${failed.join(', ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

main().catch(fail);
