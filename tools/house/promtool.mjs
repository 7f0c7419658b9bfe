/**
 * promtool, Prometheus's own judge of metrics and rules: the one that is installed, or the one of
 * Debian's package, taken out of it. The package itself would bring a server that nobody needs here.
 * @module
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, find, step } from './command.mjs';
import { at } from './root.mjs';

const PACKAGE = 'prometheus';
const KEPT = at('node_modules/.cache/promtool');

/** Its path, null when it is not there. */
export function promtool() {
  return find('promtool') ?? (existsSync(KEPT) ? KEPT : null);
}

/** Gets it if it is not there. Resolves to why it could not be had, null when it is there. */
export async function setupPromtool() {
  if (promtool() !== null) return null;
  if (find('apt-get') === null) return 'promtool is missing, and this is no Debian or Ubuntu';
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-promtool-'));
  try {
    await download(folder);
    mkdirSync(at('node_modules/.cache'), { recursive: true });
    copyFileSync(join(folder, 'usr/bin/promtool'), KEPT);
    return null;
  } catch (error) {
    return `promtool is missing (of the package ${PACKAGE}): ${error.message}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The package is fetched and unpacked, not installed. */
async function download(folder) {
  const get = ['-c', `apt-get download ${PACKAGE} && dpkg-deb -x ${PACKAGE}_*.deb .`];
  // The lists may be old, or not there.
  if (ask('sh', get, { cwd: folder }).status === 0) return;
  await step('reading the package lists (apt-get update)', 'apt-get', ['update']);
  await step('fetching promtool', 'sh', get, { cwd: folder });
}
