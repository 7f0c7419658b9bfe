/**
 * Flow rules of the configuration and of the command line, on a running process of two queues.
 * @module
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { enterNamespace } from '../dpdk/test-namespace.ts';
import { MAIN, type RunningCommand, startCommand } from './running.ts';

const CONFIG = `
[dpdk]
vdev = "net_tap0,iface=dtap0"
[network]
ip = "10.77.0.2/24"
join = ["239.1.2.3", "ff02::fb"]
[tap]
host_ip = "10.77.0.1/24"
[queues]
count = 2
gro = false
[[flows]]
rule = "ipv4 tcp dst 81 => drop"
[[flows]]
rule = "ipv4 icmp => count"
[[listeners]]
service = "echo"
port = 80
[[listeners]]
service = "echo"
port = 81
`;

await enterNamespace();

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-flows-'));
process.env['XDG_RUNTIME_DIR'] = folder;
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'dpdk-net.toml'), CONFIG);

function flows(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, 'flows', ...args], { encoding: 'utf8' });
}

interface Flow {
  readonly id: number;
  readonly rule: string;
  readonly frames: number;
}

const listed = (): Flow[] => JSON.parse(flows('--json').stdout) as Flow[];

/** What an echo service at `port` sends back; 'nothing' when nobody answers `ms` milliseconds long. */
function echo(port: number, ms: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '10.77.0.2', () => socket.write('hello'));
    const end = (text: string): void => {
      socket.destroy();
      clearTimeout(timer);
      resolve(text);
    };
    const timer = setTimeout(() => end('nothing'), ms);
    socket.on('data', (data) => end(String(data)));
    socket.on('error', ({ message }) => end(message));
  });
}

/** Until both queues' services listen, some connections are refused. */
async function answers({ child, output }: RunningCommand, port: number): Promise<void> {
  while ((await echo(port, 1000)) !== 'hello') {
    assert.equal(child.exitCode, null, output());
    await delay(20);
  }
}

test('rules of the file hold from the start; the command adds some and takes them out', async () => {
  const command = startCommand(folder, ['start']);
  after(() => command.child.kill('SIGKILL'));
  await command.says('queues    2');
  await answers(command, 80);
  const ask = (...args: string[]): string =>
    spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', cwd: folder }).stdout;
  const [plan] = ask('start', '--dry-run').split('\n\n');
  assert.equal(`${plan}\n`, ask('queues'), 'the plan is what is reported');
  assert.equal(plan!.split('\n').length, 3);
  assert.equal(await echo(81, 300), 'nothing');
  const [first, second] = listed();
  assert.equal(first!.rule, 'ipv4 tcp dst 81 => drop');
  assert.ok(first!.frames > 0);
  assert.equal(second!.rule, 'ipv4 icmp => count');

  const added = flows('add', 'ipv4 src 10.77.0.1 tcp dst 80 => drop');
  assert.match(
    added.stdout,
    /^port0 +\d+ +software +0 +0 +ipv4 src 10\.77\.0\.1\/32 tcp dst 80 => drop$/m,
  );
  assert.equal(await echo(80, 300), 'nothing');
  const third = listed()[2]!;
  assert.ok(third.frames > 0);
  assert.equal(flows('delete', `${third.id}`).status, 0);
  await answers(command, 80);
  assert.equal(flows('delete', `${first!.id}`, '--json').status, 0);
  await answers(command, 81);
  assert.match(flows().stdout, /^port0 +\d+ +software +0 +0 +ipv4 icmp => count$/m);

  const wrong: [string[], number, RegExp][] = [
    [['delete', '99'], 1, /port port0 has no flow rule 99/],
    [['delete', 'x'], 2, /delete x is not a number/],
    [['add', 'tpc => drop'], 2, /a flow rule has no 'tpc' here/],
    [['add', 'tcp => queue 2'], 1, /there is no queue 2/],
    [['add', 'tcp => drop', '--port', 'eth9'], 1, /there is no port eth9; there is port0/],
  ];
  for (const [args, status, message] of wrong) {
    const result = flows(...args);
    assert.match(result.stderr, message);
    assert.equal(result.status, status, result.stderr);
  }
  assert.equal(await command.end('SIGTERM'), 0, command.output());
});
