/**
 * Gets what is missing: system packages by apt (as root), npm packages by `npm ci`.
 *
 *     node tools/setup.mjs            what is needed to build and run
 *     node tools/setup.mjs --test     also what the tests talk to (tshark, wrk, curl ...)
 *
 * Plain JavaScript without dependencies: it runs before `npm ci`. It does nothing, and asks no
 * server anything, when everything is there.
 * @module
 */
import { fail } from './house/command.mjs';
import * as Packages from './house/packages.mjs';
import { setupPromtool } from './house/promtool.mjs';
import { isMain } from './house/root.mjs';

const OLDEST_NODE = [20, 19];

/**
 * Sets up. Returns sentences about what could not be had although the project can do without
 * (empty: all is there). Throws when nothing can run: too old a Node, `npm ci` fails.
 */
export async function setup({ test = false } = {}) {
  checkNode();
  const system = setupSystem(
    test ? { ...Packages.BUILD_PACKAGES, ...Packages.TEST_PACKAGES } : Packages.BUILD_PACKAGES,
  );
  // Another server than the one that has the system's packages: both at once.
  if (test) await setupNpm(Packages.EXAMPLES);
  const problems = await system;
  await setupNpm();
  if (!test) return problems;
  const noPromtool = await setupPromtool();
  return noPromtool === null ? problems : [...problems, noPromtool];
}

async function setupNpm(folder) {
  const stale = Packages.npmStaleness(folder);
  if (stale !== null) await Packages.installNpmPackages(stale, folder);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [wantMajor, wantMinor] = OLDEST_NODE;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new Error(
    `Node ${process.versions.node} is too old: dpdk-net needs ${OLDEST_NODE.join('.')} or newer (https://nodejs.org)`,
  );
}

async function setupSystem(wanted) {
  const missing = Packages.missingSystemPackages(wanted);
  if (missing === null) {
    return [
      `this is no Debian or Ubuntu; if something is missing, install by hand what provides: ${Object.keys(wanted).join(', ')}`,
    ];
  }
  if (missing.length === 0) return [];
  const what = missing.map((name) => `${name} (${wanted[name]})`).join(', ');
  if (!Packages.isRoot) {
    return [`missing: ${what}. Installing needs root: ${Packages.installCommand(missing)}`];
  }
  try {
    await Packages.installSystemPackages(missing);
    return [];
  } catch (error) {
    return [`missing: ${what}. ${error.message}:\n${error.output ?? ''}`];
  }
}

if (isMain(import.meta.url)) {
  try {
    const problems = await setup({ test: process.argv.includes('--test') });
    for (const problem of problems) console.error(problem);
    console.log(problems.length === 0 ? 'everything is in place' : 'set up, except for the above');
    process.exitCode = problems.length === 0 ? 0 : 1;
  } catch (error) {
    fail(error);
  }
}
