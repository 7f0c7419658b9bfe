/**
 * What a client process does: opens its load, lets it warm up, counts what it does in a given
 * time, and tells so in lines of JSON on its standard output.
 *
 * A load is { open(): Promise, start(), units: number, stop(): Promise }.
 * @module
 */
import { writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const STDOUT = 1;

/** One line for the harness, written at once: a spinning program has no time for streams. */
export function say(message) {
  writeSync(STDOUT, `${JSON.stringify(message)}\n`);
}

/** The settings that the harness gave on the command line. */
export function settings() {
  return JSON.parse(process.argv[2] ?? '{}');
}

/**
 * Runs the cases one after the other. `wait(ms)` is how this kind of program passes time; the
 * first case warms up longer (`firstMs`), until the code is compiled that all of them share.
 */
export async function measure(cases, makeLoad, wait, { firstMs, warmupMs, runMs }) {
  for (const one of cases) {
    const load = makeLoad(one);
    await load.open();
    load.start();
    await wait(one === cases[0] ? firstMs : warmupMs);
    say({ begin: one.name });
    const start = performance.now();
    const before = load.units;
    const cpu = process.cpuUsage();
    await wait(runMs);
    const units = load.units - before;
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    say({ end: one.name, units, seconds, cpuSeconds: (user + system) / 1e6 });
    await load.stop();
  }
  say({ done: true });
}

/** A server or client must not outlive the harness: its standard input ends with it. */
export function endWithParent(end = () => process.exit(0)) {
  process.stdin.resume();
  process.stdin.once('end', end);
  process.once('SIGTERM', end);
}
