/**
 * Joins the compiled modules of dist/ into lib/, which is what the package publishes and what
 * `npm start`, the command and the benchmarks run.
 *
 * Not for size: V8 folds a constant of the same module into the machine code, but fetches an
 * imported one from a cell and checks it, each time; and a packet passes some hundred of them.
 * The pure floors become one module, so the packet path has no import left, and in it all that
 * never changes is made constant (house/constant.mjs; docs/decisions/0008 has what it buys).
 * Tests import dist/, where a module is a file.
 * @module
 */
import { existsSync, lstatSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { relative } from 'node:path';
import { rollup } from 'rollup';
import { constant } from './house/constant.mjs';
import { at, isMain } from './house/root.mjs';

/** What can be imported or run; each becomes a file of the same name in lib/. */
const ENTRIES = [
  'index',
  'stack/index',
  'wire/index',
  'dpdk/index',
  'bridge/index',
  'lcore/index',
  'lcore/worker',
  'runtime/compiler',
  'node/net',
  'node/dgram',
  'node/stream',
  'node/register',
  'testing/index',
  'app/queue-worker',
  'app/services-main',
  'cli/main',
  'cli/worker',
];
/** The floors of the packet path: pure, and together in one file. */
const PURE = /^dist\/(base|wire|storage|shared|link|net|tcp|udp|stack)\//;
const PURE_CHUNK = 'stack';
/** Under its own name, see linkName(). */
const LINK = at('node_modules/dpdk-net');

/** Writes lib/ anew, unless nothing has changed since it was written. Throws what rollup throws. */
export async function bundle() {
  if (isFresh()) return;
  const bundled = await rollup({
    input: Object.fromEntries(ENTRIES.map((name) => [name, at(`dist/${name}.js`)])),
    // Packages, and Node's own modules.
    external: (id) => !id.startsWith('.') && !id.startsWith('/'),
    plugins: [constant([PURE_CHUNK])],
    onwarn: (warning) => {
      // What TypeScript puts around an import() of a name that is not known yet.
      if (warning.code === 'THIS_IS_UNDEFINED') return;
      throw new Error(warning.message);
    },
  });
  rmSync(at('lib'), { recursive: true, force: true });
  await bundled.write({
    dir: at('lib'),
    format: 'es',
    // Two folders deep like the entries, so that paths relative to import.meta.url stay true.
    chunkFileNames: 'chunks/[name].js',
    manualChunks: (id) => (PURE.test(relative(at('.'), id)) ? PURE_CHUNK : undefined),
    generatedCode: { constBindings: true },
    externalLiveBindings: false,
    hoistTransitiveImports: false,
    minifyInternalExports: false,
  });
  await bundled.close();
  linkName();
}

/** True when lib/ is younger than all it is made of; folders count, too: something may be gone. */
function isFresh() {
  // The last thing that is written.
  const written = lstatSync(LINK, { throwIfNoEntry: false });
  if (written === undefined || !existsSync(at('lib'))) return false;
  const compiled = readdirSync(at('dist'), { recursive: true, withFileTypes: true });
  const sources = compiled
    .filter((entry) => entry.isDirectory() || /(?<!\.test)\.js$/.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`);
  const tools = ['tools/bundle.mjs', 'tools/house/constant.mjs', 'package-lock.json'].map(at);
  return [...sources, ...tools].every((source) => statSync(source).mtimeMs < written.mtimeMs);
}

/** The examples have packages of their own, so that they find this one only as they would any other. */
function linkName() {
  rmSync(LINK, { force: true });
  symlinkSync('..', LINK);
}

if (isMain(import.meta.url)) await bundle();
