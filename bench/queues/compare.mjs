/**
 * One queue against two: runs by turns, and the figures of both.
 * @module
 */
import { runOnce } from '../harness/runs.mjs';
import { digits, median, readable } from '../harness/statistics.mjs';

export const ACCOUNTING = `Two queues of the server and two threads that load them have two processors, a queue and a thread
each. One queue: two systems of their own at the same time, each with its server on one processor and
its load on the other, so that both processors are as busy, and a queue has as many connections. per queue: units a second. server, load: processor seconds a second, of both
systems and of one with two queues. per server s: units for each processor second of the server.
Measured: the rate of two queues against that of one. At equal cores: what two queues do on
two cores of their own against one on one, by the server's processor seconds.
`;

/**
 * Runs `one`, an array of two ways with one queue each, at the same time, and `two`, by turns, as
 * often as `rounds`. Returns { one, two, ratio: { measured, equalCores } }, medians.
 */
export async function compare({ one, two }, program, single, { rounds, times }) {
  const runs = { one: [], two: [] };
  const run = async (way) => {
    const found = await runOnce(way, program, [single], times);
    return found.get(single.name);
  };
  for (let round = 0; round < rounds; round++) {
    runs.one.push(figuresOf(await Promise.all(one.map(run)), 1));
    runs.two.push(figuresOf([await run(two)], 2));
  }
  const [ones, twos] = [runs.one, runs.two].map(medians);
  const ratio = {
    measured: (2 * twos.perQueue) / ones.perQueue,
    equalCores: (2 * twos.perServerSecond) / ones.perServerSecond,
  };
  return { one: ones, two: twos, ratio, runs };
}

/** Of systems that ran at the same time, with so many queues each. */
function figuresOf(systems, queues) {
  const sum = (of) => systems.reduce((all, system) => all + of(system), 0);
  const { seconds } = systems[0];
  const units = sum(({ rate, seconds }) => rate * seconds);
  return {
    perQueue: sum(({ rate }) => rate) / (systems.length * queues),
    server: sum(({ cpuOf }) => cpuOf[0]) / seconds,
    load: sum(({ cpuOf }) => cpuOf[1]) / seconds,
    perServerSecond: units / sum(({ cpuOf }) => cpuOf[0]),
    parts: systems.map(({ message }) => message.parts),
  };
}

function medians(list) {
  const keys = ['perQueue', 'server', 'load', 'perServerSecond'];
  return Object.fromEntries(keys.map((key) => [key, median(list.map((one) => one[key]))]));
}

/** The result of compare() as lines. */
export function linesOf(title, unit, { one, two, ratio }) {
  const rows = Object.entries({ 'one queue': one, 'two queues': two }).map(([name, figures]) =>
    [
      `${title}, ${name}`.padEnd(30),
      `per queue ${readable(figures.perQueue)} ${unit}`.padEnd(34),
      `server ${figures.server.toFixed(2)}  load ${figures.load.toFixed(2)}`,
      `per server s ${readable(figures.perServerSecond)}`,
    ].join('  '),
  );
  const ratios = `measured ${digits(ratio.measured)} times, at equal cores ${digits(ratio.equalCores)} times`;
  return [...rows, `${title}: ${ratios}`];
}
