import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { tapInterface } from './tap.ts';

/** Runs a program in a network namespace of its own, with `ip()` and all of tap.ts in scope. */
function inNamespace(body: string): unknown {
  const here = import.meta.url;
  const sibling = (name: string): string => here.replace(/tap\.nic\.test\.(ts|js)$/, `${name}.$1`);
  const code = `
    import { execFileSync } from 'node:child_process';
    import * as Tap from '${sibling('tap')}';
    import { Prefix } from '${sibling('../base/address')}';
    const ip = (...args) => execFileSync('ip', args, { encoding: 'utf8' });
    const attempt = (f) => { try { return f(); } catch (error) { return error.message; } };
    const result = await (async () => { ${body} })();
    console.log(JSON.stringify(result));`;
  const args = ['-n', process.execPath, '--input-type=module', '-e', code];
  const { status, stdout, stderr } = spawnSync('unshare', args, {
    encoding: 'utf8',
    timeout: 120_000,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

test("tapInterface() finds the kernel's name of a net_tap device", () => {
  assert.equal(tapInterface('net_tap0,iface=foo,mac=fixed'), 'foo');
  assert.equal(tapInterface('net_tap0'), 'dtap0');
  assert.equal(tapInterface('net_tap3'), 'dtap3');
  assert.equal(tapInterface('net_memif0,role=server'), null);
  assert.equal(tapInterface('net_tapir0'), null);
});

test('an interface that nobody holds any more is deleted', () => {
  const result = inNamespace(`
    const before = Tap.removeStaleInterface('dtap9');
    ip('tuntap', 'add', 'dev', 'dtap9', 'mode', 'tap');
    const removed = Tap.removeStaleInterface('dtap9');
    return [before, removed, JSON.parse(ip('-j', 'link')).map(({ ifname }) => ifname)];`);
  assert.deepEqual(result, [false, true, ['lo']]);
});

test('an interface of another kind is left alone', () => {
  const result = inNamespace(`
    ip('link', 'add', 'dtap9', 'type', 'veth', 'peer', 'name', 'other');
    return [attempt(() => Tap.removeStaleInterface('dtap9')), ip('link').includes('dtap9')];`);
  assert.match((result as string[])[0]!, /no TAP device; choose another name/);
  assert.equal((result as unknown[])[1], true);
});

test('the host side gets addresses, a MAC address of its own, and is up; twice is once', () => {
  const result = inNamespace(`
    ip('tuntap', 'add', 'dev', 'dtap9', 'mode', 'tap');
    const addresses = ['10.77.0.1/24', 'fd77::1/64'].map((text) => Prefix.parse(text));
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 10);
    Tap.configureHostSide('dtap9', addresses, mac);
    Tap.configureHostSide('dtap9', addresses, mac);
    const [link] = JSON.parse(ip('-j', 'address', 'show', 'dev', 'dtap9'));
    const list = link.addr_info.map(({ local, prefixlen }) => local + '/' + prefixlen);
    return [link.address, link.flags.includes('UP'), list.filter((text) => !text.startsWith('fe80'))];`);
  assert.deepEqual(result, ['02:00:00:00:00:0b', true, ['10.77.0.1/24', 'fd77::1/64']]);
});

test('IPv6 that is switched off for new interfaces is switched on for this one', () => {
  const result = inNamespace(`
    const { writeFileSync } = await import('node:fs');
    for (const scope of ['all', 'default']) writeFileSync('/proc/sys/net/ipv6/conf/' + scope + '/disable_ipv6', '1');
    ip('tuntap', 'add', 'dev', 'dtap9', 'mode', 'tap');
    const notices = Tap.configureHostSide('dtap9', [Prefix.parse('fd77::1/64')], Uint8Array.of(2, 0, 0, 0, 0, 10));
    return [notices, ip('-6', 'address', 'show', 'dev', 'dtap9').includes('fd77::1/64')];`);
  assert.deepEqual(result, [[], true]);
});

test('what ip refuses is said with the command', () => {
  const result = inNamespace(`
    return attempt(() => Tap.configureHostSide('nothing', [], new Uint8Array(6)));`);
  assert.match(result as string, /^ip link set dev nothing address .*: Cannot find device/);
});
