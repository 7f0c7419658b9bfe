import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(import.meta.url.replace(/completion\.test\.(ts|js)$/, 'main.$1'));
const scriptOf = (shell: string): string =>
  spawnSync(process.execPath, [main, 'completion', shell], { encoding: 'utf8' }).stdout;

test('bash completes commands, subcommands and options, and files where nothing fits', () => {
  const script = scriptOf('bash');
  const complete = (...words: string[]): string[] => {
    const quoted = ['dpdk-net', ...words].map((word) => `'${word}'`).join(' ');
    const command = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _dpdk_net; echo "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', `${script}\n${command}`], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    return stdout.trim().split(' ');
  };
  assert.deepEqual(complete('conn'), ['connections']);
  assert.ok(complete('').includes('doctor'));
  assert.deepEqual(complete('config', 'c'), ['check']);
  assert.deepEqual(complete('connections', '--sta'), ['--state']);
  assert.deepEqual(complete('config', 'print', '--j'), ['--json']);
  assert.deepEqual(complete('run', '/proc/self/st').sort(), [
    '/proc/self/stack',
    '/proc/self/stat',
    '/proc/self/statm',
    '/proc/self/status',
  ]);
});

test('fish and zsh get theirs; another shell is refused', () => {
  const fish = scriptOf('fish');
  assert.match(
    fish,
    /^complete -c dpdk-net -n '__fish_use_subcommand' -a doctor -d 'what of this machine/m,
  );
  assert.match(
    fish,
    /^complete -c dpdk-net -n '__fish_seen_subcommand_from connections' -l state$/m,
  );
  for (const line of fish.trimEnd().split('\n'))
    assert.match(line, /^complete -c dpdk-net -n '[\w ]+' -[la] [\w-]+( -d '[^\n]*')?$/);
  assert.match(scriptOf('zsh'), /^#compdef dpdk-net\n/);
  const { status, stderr } = spawnSync(process.execPath, [main, 'completion', 'csh'], {
    encoding: 'utf8',
  });
  assert.equal(status, 2);
  assert.match(stderr, /Allowed choices are bash, zsh, fish/);
});
