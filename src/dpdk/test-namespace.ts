/**
 * For the tests with a kernel as peer: runs a test file again inside a network namespace of its
 * own, so that nothing ever touches the machine's interfaces.
 *
 * The inner process writes to the outer one's streams: a test runner sees its tests. The namespace
 * is removed when it ends, however it ends; one whose creator was killed goes at the next start.
 * @module
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';

const MARK = 'DPDK_NET_TEST_NAMESPACE';
const NAMESPACES = '/run/netns';

/**
 * To be awaited before the first test: what follows runs only inside, where this resolves to the
 * name of the namespace. The process outside ends here with the status of the one inside.
 */
export async function enterNamespace(): Promise<string> {
  const inside = process.env[MARK];
  if (inside !== undefined) return inside;
  removeAbandoned();
  return process.exit(await runInside(`dn-${process.pid}`));
}

/** Runs 'ip link set lo up' and the like. */
export function ip(command: string): string {
  return execFileSync('ip', command.split(' '), { encoding: 'utf8' });
}

/** The hardware address of an interface, 'aa:bb:...'. */
export function macOf(iface: string): string {
  return ip(`-o link show dev ${iface}`).match(/link\/ether (\S+)/)![1]!;
}

async function runInside(name: string): Promise<number> {
  ip(`netns add ${name}`);
  try {
    ip(`-n ${name} link set lo up`);
    const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const child = spawn('ip', ['netns', 'exec', name, ...again], {
      stdio: 'inherit',
      env: { ...process.env, [MARK]: name },
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => child.kill(signal));
    }
    const [status] = (await once(child, 'exit')) as [number | null];
    return status ?? 1;
  } finally {
    removeFamily(name);
  }
}

/** A namespace, and those that a test made beside it: 'dn-12' and 'dn-12-peer'. */
function removeFamily(name: string): void {
  const members = namespaces().filter((other) => other === name || other.startsWith(`${name}-`));
  for (const member of members) remove(member);
}

function remove(name: string): void {
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

function removeAbandoned(): void {
  for (const name of namespaces()) {
    const pid = name.match(/^dn-(\d+)/)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) remove(name);
  }
}

function namespaces(): string[] {
  return existsSync(NAMESPACES) ? readdirSync(NAMESPACES) : [];
}
