/**
 * System packages (Debian, Ubuntu) and npm packages: what is missing, and getting it.
 *
 * Nothing here touches the network when everything is in place.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { ask, find, step } from './command.mjs';
import { ROOT } from './root.mjs';

/** To build and to run: package name -> what for. */
export const BUILD_PACKAGES = {
  'libdpdk-dev': 'DPDK',
  'build-essential': 'the C compiler for the addon',
  'pkg-config': 'finds DPDK for the compiler',
  iproute2: 'configures the host side of a TAP interface',
};

/** To test against real peers. */
export const TEST_PACKAGES = {
  git: 'names the files of the project',
  procps: 'sysctl, for the settings of the kernel peer',
  tshark: 'reads our captures',
  wrk: 'HTTP load',
  nftables: 'loses packets in the kernel on purpose',
  iperf3: 'bulk transfer',
  curl: 'an HTTP client',
  'netcat-openbsd': 'raw connections',
  'iputils-ping': 'ping',
  ethtool: 'offload settings of the peer interface',
  tcpdump: 'captures on the peer side',
  'util-linux': 'unshare, for network namespaces',
  openssl: 'certificates, and a TLS client',
  'redis-server': 'what the Redis client of the examples talks to',
};

// biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders are dpkg-query's.
const QUERY_FORMAT = '-f=${Package} ${db:Status-Status}\n';

export const isRoot = process.getuid?.() === 0;

/** The names of `wanted` that are not installed; null where there is no dpkg to ask. */
export function missingSystemPackages(wanted) {
  if (find('dpkg-query') === null) return null;
  const names = Object.keys(wanted);
  const { stdout } = ask('dpkg-query', ['-W', QUERY_FORMAT, ...names]);
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return names.filter((name) => !installed.has(name));
}

/** Installs system packages. Needs root. */
export async function installSystemPackages(names) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const lock = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];
  await step('reading the package lists (apt-get update)', 'apt-get', [...lock, 'update'], { env });
  await step(
    `installing ${names.join(', ')} (apt-get install)`,
    'apt-get',
    [...lock, 'install', '-y', '--no-install-recommends', ...names],
    { env },
  );
}

/** What a person without root has to run. */
export function installCommand(names) {
  return `sudo apt-get update && sudo apt-get install -y ${names.join(' ')}`;
}

/** Where the examples have the packages that they use: dpdk-net itself needs none of them. */
export const EXAMPLES = new URL('examples/', ROOT);

/** Why `folder`'s node_modules does not match its package-lock.json; null when it does. */
export function npmStaleness(folder = ROOT) {
  if (!existsSync(new URL('node_modules', folder))) return 'node_modules is missing';
  const installedLock = new URL('node_modules/.package-lock.json', folder);
  if (!existsSync(installedLock)) return 'node_modules is incomplete';
  const wanted = JSON.parse(readFileSync(new URL('package-lock.json', folder), 'utf8')).packages;
  const present = JSON.parse(readFileSync(installedLock, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith('node_modules/')) continue;
    const found = present[path];
    if (found === undefined && entry.optional) continue;
    const same = found?.version === entry.version && found?.integrity === entry.integrity;
    if (!same || !existsSync(new URL(path, folder)))
      return `${path} is not what package-lock.json says`;
  }
  return null;
}

/** Installs a folder's npm packages as its package-lock.json names them. */
export async function installNpmPackages(reason, folder = ROOT) {
  const what = folder === ROOT ? 'npm packages' : 'the npm packages of the examples';
  await step(
    `installing ${what} (npm ci; ${reason})`,
    'npm',
    ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=warn'],
    { cwd: folder },
  );
}
