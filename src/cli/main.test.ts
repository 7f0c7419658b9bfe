import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(import.meta.url.replace(/\.test\.(ts|js)$/, '.$1'));
const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-cli-'));
after(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function dpdkNet(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const options = { cwd: folder, encoding: 'utf8', timeout: 180_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], options);
  return { status, stdout, stderr };
}

const LOOPBACK = [
  '--set',
  'dpdk.port=loopback',
  '--set',
  'routes.kernel=[]',
  '--config',
  'empty.toml',
];
write('empty.toml', '');

test("--version is the package's", () => {
  const root = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(root, 'utf8')) as { version: string };
  assert.deepEqual(dpdkNet('--version'), { status: 0, stdout: `${version}\n`, stderr: '' });
});

test('--help tells the commands; run --help tells examples, a least configuration, signals', () => {
  const help = dpdkNet('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /run .*an unmodified program/);
  const run = dpdkNet('run', '--help');
  assert.equal(run.status, 0);
  for (const part of ['dpdk-net run server.js', '[network]', 'Ctrl-C', '--config <file>']) {
    assert.ok(run.stdout.includes(part), part);
  }
});

test('wrong usage is exit code 2, and a word about what is wrong', () => {
  const cases: [string[], RegExp][] = [
    [[], /Usage: dpdk-net/],
    [['walk'], /unknown command 'walk'/],
    [['run'], /missing required argument 'program'/],
    [['run', '--confg', 'a'], /unknown option '--confg'\n\(Did you mean --config\?\)/],
    [['run', 'nothing.js'], /can not run nothing\.js: there is no such file/],
    [['run', '.'], /can not run \.: it is a folder/],
  ];
  for (const [args, message] of cases) {
    const { status, stderr } = dpdkNet(...args);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, message);
  }
});

test('a configuration that is missing or wrong is exit code 2, and nothing runs', () => {
  write('program.js', 'console.log("ran")');
  const missing = dpdkNet('run', 'program.js');
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /there is no dpdk-net\.toml; write one/);
  write('wrong.toml', '[network]\nipp = "10.0.0.2/24"\n');
  const wrong = dpdkNet('run', '--config', 'wrong.toml', 'program.js');
  assert.equal(wrong.status, 2);
  assert.match(
    wrong.stderr,
    /wrong\.toml:2:1: unknown key 'ipp' in \[network\]: did you mean 'ip'/,
  );
  assert.equal(wrong.stdout, '');
});

test('a program sees its own arguments and itself as the main module', () => {
  write(
    'common.cjs',
    'console.log(require.main === module, process.argv[1] === __filename, process.argv.slice(2));',
  );
  const common = dpdkNet('run', ...LOOPBACK, 'common.cjs', '--config', 'x', '-q');
  assert.equal(common.status, 0, common.stderr);
  assert.equal(common.stdout, "true true [ '--config', 'x', '-q' ]\n");
  write(
    'module.mjs',
    'await null; console.log(process.argv[1].endsWith("module.mjs"), process.argv.slice(2));',
  );
  const module = dpdkNet('run', ...LOOPBACK, './module.mjs', 'a');
  assert.equal(module.stdout, "true [ 'a' ]\n", module.stderr);
});

test("a program's exit code and exceptions are its own", () => {
  write('seven.cjs', 'process.exitCode = 7;');
  assert.equal(dpdkNet('run', ...LOOPBACK, 'seven.cjs').status, 7);
  write('throws.cjs', 'throw new Error("mine");');
  const { status, stderr } = dpdkNet('run', ...LOOPBACK, 'throws.cjs');
  assert.equal(status, 1);
  assert.match(stderr, /throws\.cjs:1[\s\S]*Error: mine/);
});

test('an http server and its client meet on the stack, and leave nothing behind', () => {
  write(
    'meet.mjs',
    `import { createServer } from 'node:http';
     import { once } from 'node:events';
     const server = createServer((request, response) => response.end('hello ' + request.url));
     server.listen(8080);
     await once(server, 'listening');
     console.log(await (await fetch('http://127.0.0.1:8080/a')).text());
     process.kill(process.pid, 'SIGTERM');`,
  );
  const { status, stdout, stderr } = dpdkNet('run', ...LOOPBACK, 'meet.mjs');
  assert.equal(stdout, 'hello /a\n', stderr);
  assert.equal(status, 0);
  assert.match(stderr, /device +none: only the loopback/);
  assert.match(stderr, /connections ended, .* left: 0 connections, 0 timers, 0 slots\n$/);
});

test('--quiet says nothing of its own', () => {
  write('nothing.cjs', '');
  assert.deepEqual(dpdkNet('run', '--quiet', ...LOOPBACK, 'nothing.cjs'), {
    status: 0,
    stdout: '',
    stderr: '',
  });
});

test('ping tells a line for each reply and statistics; the exit code says whether any came', () => {
  const fast = ['--interval', '0.01'];
  for (const address of ['127.0.0.1', '::1']) {
    const { status, stdout } = dpdkNet('ping', ...LOOPBACK, ...fast, '--count', '2', address);
    assert.equal(status, 0, stdout);
    const lines = stdout.split('\n');
    assert.equal(lines[0], `PING ${address} 56 bytes of data.`);
    assert.match(lines[1]!, /^64 bytes from \S+: icmp_seq=1 ttl=64 time=\d+\.\d{3} ms$/);
    assert.match(lines[2]!, /icmp_seq=2 /);
    assert.equal(lines[4], `--- ${address} ping statistics ---`);
    assert.equal(lines[5], '2 packets transmitted, 2 received, 0% packet loss');
    assert.match(lines[6]!, /^rtt min\/avg\/max\/mdev = (\d+\.\d{3}\/){3}\d+\.\d{3} ms$/);
  }
  const nobody = dpdkNet('ping', ...LOOPBACK, ...fast, '--count', '1', '192.0.2.1');
  assert.equal(nobody.status, 1);
  assert.match(nobody.stdout, /icmp_seq=1 ENETUNREACH.*\n\n.*\n.*\+1 errors, 100% packet loss/);
});

test('ping --json is an object per line', () => {
  const args = ['--count', '1', '--size', '4000', '--json', '::1'];
  const { status, stdout } = dpdkNet('ping', ...LOOPBACK, ...args);
  assert.equal(status, 0);
  const lines = stdout.trimEnd().split('\n');
  const [reply, statistics] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(lines.length, 2);
  assert.deepEqual([reply!['bytes'], reply!['from'], reply!['hops']], [4008, '::1', 64]);
  assert.deepEqual([statistics!['sent'], statistics!['received']], [1, 1]);
});

test('ping refuses what is no address or no number, with exit code 2', () => {
  for (const args of [['nobody'], ['--count', 'x', '::1'], ['--size', '65508', '::1']]) {
    const { status, stderr } = dpdkNet('ping', ...LOOPBACK, ...args);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /^dpdk-net: .* is not a/);
  }
});

test('config check names every fault; config print tells where each value comes from', () => {
  write('good.json', '{"dpdk": {"port": "loopback"}, "network": {"mtu": 1400}}');
  const good = dpdkNet('config', 'check', '--config', 'good.json');
  assert.deepEqual(good, { status: 0, stdout: 'good.json: all is well\n', stderr: '' });
  const bad = dpdkNet('config', 'check', '--config', 'good.json', '--set', 'network.mtu=1');
  assert.equal(bad.status, 2);
  assert.match(bad.stderr, /^dpdk-net: --set network\.mtu=1: \[network\] mtu = 1 is not allowed/);
  write('bad.toml', '[dpdk]\nport = "loopback"\nprot = 1\n');
  const told = dpdkNet('config', 'check', '--json', '--config', 'bad.toml');
  assert.equal(told.status, 2);
  const { problems } = JSON.parse(told.stdout) as { problems: Record<string, unknown>[] };
  const { source, line, column } = problems[0]!;
  assert.deepEqual([source, line, column], ['bad.toml', 3, 1]);
  const print = dpdkNet('config', 'print', '--config', 'good.json');
  assert.match(print.stdout, /^mtu = 1400 +# good\.json:1$/m);
  const schema = JSON.parse(dpdkNet('config', 'schema').stdout) as { properties: object };
  assert.ok('tcp' in schema.properties);
});
