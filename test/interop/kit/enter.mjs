/**
 * Imported first, this runs the importing test file again inside a new network namespace, so that
 * nothing ever touches the machine's interfaces. What follows the import runs only there.
 *
 * The inner process writes to the outer one's streams: a test runner sees its tests. The namespace
 * is removed when it ends, however it ends; one whose creator was killed goes at the next start.
 * @module
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

const MARK = 'DPDK_NET_INTEROP_NAMESPACE';
const NAMESPACES = '/run/netns';

if (process.env[MARK] === undefined) {
  removeAbandoned();
  process.exit(await runInside(`dn-${process.pid}`));
}

/** The namespace of this test. */
export const NAMESPACE = process.env[MARK];

async function runInside(name) {
  execFileSync('ip', ['netns', 'add', name]);
  try {
    execFileSync('ip', ['netns', 'exec', name, 'ip', 'link', 'set', 'lo', 'up']);
    const args = [
      'netns',
      'exec',
      name,
      process.execPath,
      ...process.execArgv,
      ...process.argv.slice(1),
    ];
    const child = spawn('ip', args, { stdio: 'inherit', env: { ...process.env, [MARK]: name } });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => child.kill(signal));
    }
    const [status] = await new Promise((resolve) => {
      child.once('exit', (...how) => resolve(how));
    });
    return status ?? 1;
  } finally {
    removeFamily(name);
  }
}

/** A namespace, and those that a test made beside it: 'dn-12' and 'dn-12-peer'. */
function removeFamily(name) {
  const members = namespaces().filter((other) => other === name || other.startsWith(`${name}-`));
  for (const member of members) remove(member);
}

function remove(name) {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
  for (const pid of stdout.split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
  spawnSync('ip', ['netns', 'delete', name]);
}

function removeAbandoned() {
  for (const name of namespaces()) {
    const pid = name.match(/^dn-(\d+)/)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) remove(name);
  }
}

function namespaces() {
  return existsSync(NAMESPACES) ? readdirSync(NAMESPACES) : [];
}
