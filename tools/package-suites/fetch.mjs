/**
 * Fetches a package with its tests and what they load, into node_modules/.cache.
 * @module
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { ask, step } from '../house/command.mjs';
import { download, versionsOf } from '../house/debian-sources.mjs';
import { at } from '../house/root.mjs';

const HOME = at('node_modules/.cache/package-suites');

/** { folder, version, files } of a suite of suites.mjs. */
export async function fetchSuite(suite) {
  const folder = `${HOME}/${suite.name}`;
  if (!existsSync(folder)) {
    const half = `${folder}.half`;
    rmSync(half, { recursive: true, force: true });
    mkdirSync(half, { recursive: true });
    const archive = await archiveOf(suite.source);
    await step(`unpacking ${suite.name}`, 'tar', [
      '-C',
      half,
      '--strip-components=1',
      '-xf',
      archive,
    ]);
    await installNeeds(suite, half);
    renameSync(half, folder);
  }
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const files = suite.folders.flatMap((sub) =>
    readdirSync(`${folder}/${sub}`)
      .filter((file) => suite.matches.test(file))
      .map((file) => `${sub}/${file}`),
  );
  return { folder, version, files: files.sort() };
}

async function archiveOf({ debian, npm }) {
  if (npm !== undefined) {
    const { stdout, stderr } = ask('npm', ['pack', npm, '--silent'], { cwd: HOME });
    if (stdout.trim() === '') throw new Error(`npm pack ${npm}: ${stderr}`);
    return `${HOME}/${stdout.trim()}`;
  }
  for (const version of (await versionsOf(debian)).reverse()) {
    const archive = await download(debian, version);
    if (archive !== null) return archive;
  }
  throw new Error(`no source package ${debian} could be fetched`);
}

/** Its dependencies and what its tests load, nothing else of what its authors work with. */
async function installNeeds({ name, needs }, folder) {
  const path = `${folder}/package.json`;
  const { devDependencies = {}, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
  const wanted = needs.map((need) => [need, devDependencies[need] ?? '*']);
  // Without its scripts: they would build what the package has already.
  const manifest = { ...rest, scripts: {}, devDependencies: Object.fromEntries(wanted) };
  writeFileSync(path, JSON.stringify(manifest, null, 2));
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps'];
  await step(`installing what the tests of ${name} load`, 'npm', ['install', ...flags], {
    cwd: folder,
  });
}
