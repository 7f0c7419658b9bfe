/**
 * A network namespace in which the kernel's loopback works, and can be shut: what a program still
 * asks of the kernel then fails.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { ask, find } from './command.mjs';

/** Starts this program again, with --sealed, where the kernel has nothing but a loopback of its own. */
export function enterNamespace() {
  if (find('unshare') === null) throw new Error('unshare is missing: npm run ok installs it');
  const args = ['--net', '--', process.execPath, ...process.argv.slice(1), '--sealed'];
  process.exitCode = spawnSync('unshare', args, { stdio: 'inherit' }).status ?? 1;
}

/** The kernel's loopback of this network namespace is there ... */
export function openKernel() {
  must('ip', ['link', 'set', 'lo', 'up']);
}

/** ... and is there still, with its addresses, but carries nothing. */
export function sealKernel() {
  must('nft', [
    'add table inet sealed; add chain inet sealed out { type filter hook output priority 0; policy drop; }',
  ]);
}

function must(program, args) {
  const { status, stderr } = ask(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
