/**
 * Does the one addon binary work everywhere? Loads it under each runtime that is installed and
 * pushes frames through net_null and net_ring. Prints a line for each; exit status 1 if one fails.
 *
 *   node tools/check-addon-runtimes.mjs [path of a runtime ...]
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const ADDON = fileURLToPath(new URL('../native/build/dpdk_net.node', import.meta.url));
const FRAMES = 100_000;
const MARK = '--inside';

/** Runs in each runtime, on the bare addon: no TypeScript, no package of ours. */
function inside() {
  const addon = createRequire(import.meta.url)(ADDON);
  const prefix = `--file-prefix=check-${process.pid}`;
  const quiet = ['--no-telemetry', '--iova-mode=va', '--lcores=0@(0)', prefix];
  addon.ealInit(['--no-huge', '--no-shconf', '--no-pci', '-m', '128', ...quiet]);
  const results = ['net_null0', 'net_ring0'].map((name) => pump(addon, name));
  addon.ealCleanup();
  console.log(results.join(', '));
}

/** Sends FRAMES frames in bursts of 32; they must all leave and, on the ring, all come back. */
function pump(addon, name) {
  const port = addon.deviceAttach(name);
  const pools = Array.from({ length: 2 }, () => ({ count: 1024, room: 2176 }));
  const layout = addon.arenaCreate({ pools, rings: 1, heapBytes: 4096, anonymous: true });
  const buffer = addon.arenaWrap(layout.id);
  addon.configure(port, { arena: layout.id, rxPools: [0] });
  addon.start(port);
  const ringAt = layout.rings[0];
  const isRing = name.startsWith('net_ring');
  const queue = addon.queueOpen({
    arena: layout.id,
    pool: 1,
    ringAt,
    port,
    queue: 0,
    drain: isRing,
  });
  const ring = new Int32Array(buffer, ringAt, 1808);
  let received = 0;
  for (let sent = 0; sent < FRAMES; ) {
    for (let i = 0; i < 32; i++, sent++) {
      const slot = ring[1552 + --ring[2]];
      ring.set([slot, slot + 128, 60, 0, 0, 0], 528 + ring[1]++ * 8);
    }
    received += addon.exchange(queue);
  }
  const { txFrames } = addon.queueCounters(queue);
  if (txFrames < FRAMES || (isRing && received !== txFrames) || received === 0) {
    throw new Error(`${name}: ${txFrames} sent, ${received} received`);
  }
  addon.queueClose(queue);
  addon.stop(port);
  addon.deviceDetach(port);
  addon.arenaFree(layout.id);
  addon.arenaUnwrap(layout.id, buffer);
  if (buffer.byteLength !== 0) throw new Error('the memory is not detached');
  return `${name} ${received} frames`;
}

/** Bun and Deno as npm installed them for development. */
function bin(name) {
  return fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));
}

function outside(runtimes) {
  const self = fileURLToPath(import.meta.url);
  let failed = 0;
  for (const runtime of runtimes) {
    const version = spawnSync(runtime, ['--version'], { encoding: 'utf8' });
    if (version.status !== 0) continue;
    const isDeno = version.stdout.startsWith('deno');
    const args = isDeno ? ['run', '-A', self, MARK] : [self, MARK];
    const run = spawnSync(runtime, args, { encoding: 'utf8', timeout: 60_000 });
    const ok = run.status === 0;
    if (!ok) failed++;
    const what = isDeno ? version.stdout.split('\n')[0] : version.stdout.trim();
    console.log(
      `${ok ? 'ok  ' : 'fail'} ${runtime} ${what}: ${(ok ? run.stdout : run.stderr).trim()}`,
    );
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

if (process.argv.includes(MARK)) inside();
else
  outside(
    process.argv.length > 2 ? process.argv.slice(2) : [process.execPath, bin('bun'), bin('deno')],
  );
