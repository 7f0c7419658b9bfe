/**
 * `npm run build`: everything that this machine allows.
 *
 * The generated layout is checked first (a difference between C and TypeScript would corrupt
 * memory), then TypeScript is compiled into dist/ and joined into lib/, then the C addon. Where DPDK's development
 * files are missing the rest is built, and the last line says how to get them.
 * @module
 */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { CommandError, fail, step } from './house/command.mjs';
import { at, isMain } from './house/root.mjs';

/** The exit status of build-native.mjs when a compiler or DPDK is missing. */
const NOT_INSTALLED = 2;

/** Builds. Returns why the addon was left out, null when it is there. Throws CommandError. */
export async function build() {
  const node = process.execPath;
  await step('checking the generated files', node, [at('tools/gen-layout.mjs'), '--check']);
  removeOrphans(at('dist'), at('src'));
  await step(
    'compiling TypeScript into dist/',
    node,
    [at('node_modules/typescript/bin/tsc'), '-b'],
    {
      cwd: at('.'),
    },
  );
  await step('joining the modules into lib/', node, [at('tools/bundle.mjs')]);
  return buildAddon();
}

async function buildAddon() {
  try {
    await step('building the addon', process.execPath, [at('tools/build-native.mjs')], {
      cwd: at('.'),
    });
    return null;
  } catch (error) {
    if (!(error instanceof CommandError) || error.status !== NOT_INSTALLED) throw error;
    return error.output;
  }
}

/** Deletes what was compiled from sources that are gone, so that no stale test is run. */
function removeOrphans(folder, source) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      removeOrphans(path, `${source}/${entry.name}`);
      if (readdirSync(path).length === 0) rmdirSync(path);
      continue;
    }
    const stem = entry.name.match(/^(.*?)\.(js|js\.map|d\.ts)$/)?.[1];
    if (stem !== undefined && !existsSync(`${source}/${stem}.ts`)) rmSync(path);
  }
}

if (isMain(import.meta.url)) {
  try {
    const reason = await build();
    if (reason === null) console.log('built');
    else console.log(`built, without the DPDK addon: ${reason}`);
  } catch (error) {
    fail(error);
  }
}
