import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const ROUNDS = process.env.DPDK_NET_LONG === '1' ? '1000000' : '4000';
const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** What the addon's sources are compiled with. */
function includes() {
  const dpdk = execFileSync('pkg-config', ['--cflags', 'libdpdk'], { encoding: 'utf8' });
  const napi = createRequire(here('../../native/package.json'))('node-api-headers').include_dir;
  return [...dpdk.trim().split(/\s+/), `-I${napi}`, `-I${here('../../native/src')}`];
}

test('guard: no race, no lock order that can deadlock, nothing used after it was freed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-guard-'));
  try {
    const program = join(folder, 'guard-stress');
    const flags = ['-std=gnu11', '-O1', '-g', '-fsanitize=thread', '-DALLOW_EXPERIMENTAL_API'];
    const sources = [
      here('guard_stress.c'),
      here('../../native/src/guard.c'),
      here('../../native/src/interrupts.c'),
    ];
    execFileSync('cc', [...flags, ...includes(), '-o', program, ...sources, '-lpthread']);
    // Without address randomisation: some kernels put mappings where the sanitizer has its own.
    const { status, stdout, stderr } = spawnSync('setarch', ['-R', program, ROUNDS], {
      encoding: 'utf8',
      env: { ...process.env, TSAN_OPTIONS: 'detect_deadlocks=1 halt_on_error=1' },
      timeout: 300_000,
    });
    assert.equal(status, 0, `${stdout}\n${stderr.slice(0, 6000)}`);
    assert.match(stdout, /left [1-9]\d*, forgot [1-9]\d* in the interrupt thread/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
