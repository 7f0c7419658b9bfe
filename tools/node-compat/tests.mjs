/**
 * Node's own tests, out of Debian's source packages: what apt has of the wanted major version, the
 * nearest where it has none.
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { step } from '../house/command.mjs';
import { download, versionsOf } from '../house/debian-sources.mjs';
import { at } from '../house/root.mjs';

/** What a test may load beside itself. */
const FOLDERS = ['parallel', 'sequential', 'common', 'fixtures', 'tools'];

/**
 * The tests of `groups` for Node `version`: { version, folder, tests }, each test
 * { name, group, path, isAlone, source }. The first call downloads some 60 MB.
 */
export async function fetchTests(version, groups) {
  const root = at('node_modules/.cache/node-tests');
  mkdirSync(root, { recursive: true });
  const have = readdirSync(root).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
  const major = version.split('.')[0];
  const fetched =
    have.find((name) => name.split('.')[0] === major) ?? (await fetchSuite(root, version));
  const folder = `${root}/${fetched}/test`;
  const tests = groups.flatMap((group) => [
    ...testsOf(folder, group, 'parallel'),
    ...testsOf(folder, group, 'sequential'),
  ]);
  return { version: fetched, folder, tests };
}

function testsOf(folder, group, kind) {
  const pattern = new RegExp(`^test-${group}-.*\\.m?js$`);
  return readdirSync(`${folder}/${kind}`)
    .filter((file) => pattern.test(file))
    .sort()
    .map((file) => {
      const path = `${folder}/${kind}/${file}`;
      const name = file.replace(/\.m?js$/, '');
      return {
        name,
        group,
        path,
        isAlone: kind === 'sequential',
        source: readFileSync(path, 'utf8'),
      };
    });
}

/** Returns the version whose tests are in `root` afterwards. */
async function fetchSuite(root, version) {
  for (const offer of byDistance(await versionsOf('nodejs'), Number(version.split('.')[0]))) {
    const upstream = offer.match(/^\d+\.\d+\.\d+/)[0];
    if (existsSync(`${root}/${upstream}`)) return upstream;
    const archive = await download('nodejs', offer);
    if (archive === null) continue;
    await unpack(root, archive, upstream);
    return upstream;
  }
  throw new Error(`no source package of nodejs near ${version} could be fetched`);
}

/** The same major version first, the newest of it; then the nearest majors. */
function byDistance(offers, major) {
  const distance = (offer) => Math.abs(Number.parseInt(offer, 10) - major);
  return [...new Set(offers)].sort((a, b) => distance(a) - distance(b) || (a < b ? 1 : -1));
}

async function unpack(root, archive, version) {
  const half = `${root}/${version}.half`;
  mkdirSync(half, { recursive: true });
  const wanted = FOLDERS.map((folder) => `*/test/${folder}`);
  const how = ['-C', half, '--strip-components=1', '--wildcards', '-xf', archive];
  await step(`unpacking the tests of Node ${version}`, 'tar', [...how, ...wanted]);
  renameSync(half, `${root}/${version}`);
}
