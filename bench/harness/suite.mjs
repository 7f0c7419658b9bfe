/**
 * All runs of all benchmarks, interleaved: one run of each way, then the next round, so that a
 * machine that gets slower or faster does so for everybody.
 * @module
 */
import { PAIR_CASES } from '../pair.mjs';
import { PROGRAMS, WARMUP } from '../programs.mjs';
import { MEASURED_ELSEWHERE } from './elsewhere.mjs';
import { runOnce, runPairOnce, runWrk } from './runs.mjs';
import { median } from './statistics.mjs';

/** Names on the command line. */
export const BENCHMARKS = [...Object.keys(PROGRAMS), 'pair'];

/**
 * Runs one benchmark `times.runs` times in each way. `tell(line)` reports progress. Returns
 * { results, references, failures }.
 */
export function runBenchmark(name, ways, times, cpus, tell) {
  return name === 'pair' ? runPair(times, cpus, tell) : runProgram(name, ways, times, tell);
}

async function runProgram(program, all, given, tell) {
  const ways = all.filter(({ programs }) => programs.includes(program));
  const cases = PROGRAMS[program];
  const times = { ...given, firstMs: given.firstMs * WARMUP[program] };
  const samples = new Map(ways.map((way) => [way, new Map(cases.map(({ name }) => [name, []]))]));
  const references = new Map();
  const failures = [];
  for (let round = 1; round <= times.runs; round++) {
    for (const way of ways) {
      tell({ program, round, way: way.title });
      try {
        const found = await runOnce(way, program, cases, times);
        for (const [name, sample] of found) samples.get(way).get(name).push(sample);
        tell({ program, round, way: way.title, found, cases });
        if (program === 'http' && !way.isOurs && times.wrk) await alsoWrk(references, way, times);
      } catch (error) {
        failures.push(`${program}, ${way.title}, run ${round}: ${error.message}`);
        tell({ program, round, way: way.title, failure: error.message });
      }
    }
  }
  const results = cases.flatMap((one) => summarize(program, one, ways, samples));
  return { results, references: [...references.values()], failures };
}

/** wrk against the kernel's server: a second opinion on the peer, not part of the ratio. */
async function alsoWrk(references, way, times) {
  const rate = await runWrk(way, times);
  if (rate === null) return;
  const entry = references.get(way) ?? {
    name: 'http, 64 connections, wrk as the client',
    way: way.title,
    unit: 'requests/s',
    runs: [],
  };
  entry.runs.push(rate);
  entry.value = median(entry.runs);
  references.set(way, entry);
}

/** A result for each way of ours, against the best of the kernel's. */
function summarize(program, one, ways, samples) {
  const figures = ways.map((way) => figureOf(way, samples.get(way).get(one.name)));
  const measured = figures.filter(({ runs }) => runs.length > 0);
  const peers = measured.filter(({ way }) => !way.isOurs);
  const best = peers.reduce((a, b) => (a === null || b.value > a.value ? b : a), null);
  const ours = measured.filter(({ way }) => way.isOurs);
  const rows = ours.length > 0 ? ours : [null];
  return rows.map((our) => ({
    name: one.name,
    variant: our === null ? 'kernel only' : our.way.variant(program),
    ours: our?.value ?? null,
    peer: best?.value ?? null,
    unit: one.unit,
    ratio: our !== null && best !== null ? our.value / best.value : null,
    peerWay: best?.way.title ?? null,
    cpu: { ours: our?.cpu ?? null, peer: best?.cpu ?? null },
    runs: Object.fromEntries(
      [our, ...peers].filter((f) => f !== null).map(({ way, runs }) => [way.title, runs]),
    ),
  }));
}

/** The median rate, and processor seconds of both processes in the median run's seconds. */
function figureOf(way, samples) {
  return {
    way,
    value: median(samples.map(({ rate }) => rate)),
    runs: samples.map(({ rate }) => Math.round(rate)),
    cpu: {
      cpuSeconds: rounded(median(samples.map(({ cpu }) => cpu))),
      wallSeconds: rounded(median(samples.map(({ seconds }) => seconds))),
    },
  };
}

async function runPair(given, cpus, tell) {
  const times = { ...given, firstMs: given.firstMs * WARMUP.pair };
  const samples = new Map(Object.keys(PAIR_CASES).map((id) => [id, []]));
  const failures = [];
  const way = { title: 'ours, both ends in one process' };
  for (let round = 1; round <= times.runs; round++) {
    for (const [id, one] of Object.entries(PAIR_CASES)) {
      tell({ program: 'pair', round, way: one.name });
      try {
        const found = await runPairOnce(id, cpus.at(-1), one, times);
        samples.get(id).push(found.get(one.name));
        tell({ program: 'pair', round, way: '', found, cases: [one] });
      } catch (error) {
        failures.push(`${one.name}, run ${round}: ${error.message}`);
        tell({ program: 'pair', round, way: one.name, failure: error.message });
      }
    }
  }
  const results = Object.entries(PAIR_CASES).map(([id, one]) => {
    const { value, runs, cpu } = figureOf(way, samples.get(id));
    return {
      name: one.name,
      variant: 'lean',
      ours: runs.length > 0 ? value : null,
      peer: null,
      unit: one.unit,
      ratio: null,
      cpu: { ours: cpu, peer: null },
      runs: { [way.title]: runs },
      measuredElsewhere: Object.fromEntries(
        Object.entries(MEASURED_ELSEWHERE)
          .filter(([, figures]) => figures[id] !== undefined)
          .map(([stack, figures]) => [stack, figures[id]]),
      ),
    };
  });
  return { results, references: [], failures };
}

function rounded(value) {
  return Number.isFinite(value) ? Number(value.toFixed(3)) : null;
}
