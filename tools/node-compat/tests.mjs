/**
 * Node's own tests, out of Debian's source packages: what apt has of the wanted major version, the
 * nearest where it has none.
 * @module
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { ask, step } from '../house/command.mjs';
import { at } from '../house/root.mjs';

const MIRROR = 'http://deb.debian.org/debian';
/** Every one has another major version of Node, or none that is new. */
const SUITES = ['bookworm', 'trixie', 'forky', 'sid', 'experimental'];
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
    have.find((name) => name.split('.')[0] === major) ?? (await download(root, version));
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
async function download(root, version) {
  const apt = await openApt(root);
  const { stdout } = ask('apt-cache', [...apt, 'showsrc', 'nodejs']);
  const offers = [...stdout.matchAll(/^Version: (\S+)$/gm)].map(([, offer]) => offer);
  for (const offer of byDistance(offers, Number(version.split('.')[0]))) {
    const upstream = offer.match(/^\d+\.\d+\.\d+/)[0];
    if (existsSync(`${root}/${upstream}`)) return upstream;
    const source = ['source', '--download-only', '--tar-only', `nodejs=${offer}`];
    const { status } = ask('apt-get', [...apt, ...source], { cwd: root, timeout: 600_000 });
    const archive = readdirSync(root).find(
      (name) => name.startsWith(`nodejs_${upstream}`) && name.endsWith('.orig.tar.xz'),
    );
    // A mirror may still list what it has dropped already.
    if (archive === undefined) continue;
    console.log(`${archive}${status === 0 ? '' : ' (of an older listing)'}`);
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

/** Options that give apt lists of its own, with the source packages of `SUITES`. */
async function openApt(root) {
  const home = `${root}/apt`;
  mkdirSync(`${home}/state/lists/partial`, { recursive: true });
  mkdirSync(`${home}/cache/archives/partial`, { recursive: true });
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const lines = SUITES.map((suite) => `deb-src [signed-by=${keys}] ${MIRROR} ${suite} main`);
  const list = `${lines.join('\n')}\n`;
  const name = `${home}/${createHash('sha256').update(list).digest('hex').slice(0, 8)}.list`;
  const settings = {
    'Dir::Etc::sourcelist': name,
    'Dir::Etc::sourceparts': '-',
    'Dir::State': `${home}/state`,
    'Dir::Cache': `${home}/cache`,
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  if (!existsSync(name)) {
    writeFileSync(name, list);
    await step('reading the lists of source packages', 'apt-get', [...options, 'update']);
  }
  return options;
}

async function unpack(root, archive, version) {
  const half = `${root}/${version}.half`;
  mkdirSync(half, { recursive: true });
  const wanted = FOLDERS.map((folder) => `*/test/${folder}`);
  const how = ['-C', half, '--strip-components=1', '--wildcards', '-xf', `${root}/${archive}`];
  await step(`unpacking the tests of Node ${version}`, 'tar', [...how, ...wanted]);
  renameSync(half, `${root}/${version}`);
}
