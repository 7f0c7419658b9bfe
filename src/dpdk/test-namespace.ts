/**
 * For the tests with a kernel as peer: runs a test file again inside a network namespace of its
 * own, so that nothing ever touches the machine's interfaces.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const MARK = 'DPDK_NET_TEST_NAMESPACE';

/** Declares the tests in a new namespace; outside of it, one test that they all passed. */
export function inNamespace(file: string, declare: () => void): void {
  if (process.env[MARK] !== undefined) {
    declare();
    return;
  }
  test('in a network namespace', () => {
    const env: NodeJS.ProcessEnv = { ...process.env, [MARK]: '1' };
    delete env['NODE_TEST_CONTEXT'];
    const child = spawnSync('unshare', ['-n', process.execPath, fileURLToPath(file)], {
      env,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(child.status, 0, `${child.stdout}\n${child.stderr}`);
  });
}

/** Runs 'ip link set lo up' and the like. */
export function ip(command: string): string {
  return execFileSync('ip', command.split(' '), { encoding: 'utf8' });
}

/** The hardware address of an interface, 'aa:bb:...'. */
export function macOf(iface: string): string {
  return ip(`-o link show dev ${iface}`).match(/link\/ether (\S+)/)![1]!;
}
