/**
 * Source packages of Debian, of all its suites, whatever the machine's own apt is set up for.
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { ask, step } from './command.mjs';
import { at } from './root.mjs';

const MIRROR = 'http://deb.debian.org/debian';
const SUITES = ['bookworm', 'trixie', 'forky', 'sid', 'experimental'];
const HOME = at('node_modules/.cache/debian-sources');

/** The versions of source package `name` that there are, each once. */
export async function versionsOf(name) {
  const { stdout } = ask('apt-cache', [...(await openApt()), 'showsrc', name]);
  return [...new Set([...stdout.matchAll(/^Version: (\S+)$/gm)].map(([, version]) => version))];
}

/** The path of the upstream archive of `name` in `version`; null when the mirror has dropped it. */
export async function download(name, version) {
  const source = ['source', '--download-only', '--tar-only', `${name}=${version}`];
  ask('apt-get', [...(await openApt()), ...source], { cwd: HOME, timeout: 600_000 });
  const upstream = version.replace(/-[^-]*$/, '').replace(/^\d+:/, '');
  const archive = readdirSync(HOME).find((file) =>
    file.startsWith(`${name}_${upstream}.orig.tar.`),
  );
  return archive === undefined ? null : `${HOME}/${archive}`;
}

/** Options that give apt lists of its own, with the source packages of `SUITES`. */
async function openApt() {
  mkdirSync(`${HOME}/state/lists/partial`, { recursive: true });
  mkdirSync(`${HOME}/cache/archives/partial`, { recursive: true });
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const lines = SUITES.map((suite) => `deb-src [signed-by=${keys}] ${MIRROR} ${suite} main`);
  const list = `${lines.join('\n')}\n`;
  const file = `${HOME}/${createHash('sha256').update(list).digest('hex').slice(0, 8)}.list`;
  const settings = {
    'Dir::Etc::sourcelist': file,
    'Dir::Etc::sourceparts': '-',
    'Dir::State': `${HOME}/state`,
    'Dir::Cache': `${HOME}/cache`,
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  if (!existsSync(file)) {
    writeFileSync(file, list);
    await step('reading the lists of source packages', 'apt-get', [...options, 'update']);
  }
  return options;
}
