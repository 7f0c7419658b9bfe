/**
 * Two queues against one: echo and HTTP from unmodified Node programs under `dpdk-net run`, over
 * memif and over af_packet on a veth pair.
 *
 *     npm run bench -- queues [--quick] [--long] [--json FILE]
 *
 * Then connections both ways while one flow in ten comes to a wrong queue: 20,000 each way on two
 * and on four queues, with --long 1,000,000.
 *
 * Then a worker that crashes under load: who loses connections, and when it serves again.
 *
 * queues/compare.mjs says how the load's share of the processors is accounted for.
 * @module
 */
import { at } from '../tools/house/root.mjs';
import { saveFigures, settingsOf } from './harness/alone.mjs';
import { Child, killChildren } from './harness/children.mjs';
import { allowedCpus, describeMachine } from './harness/machine.mjs';
import { Namespaces } from './harness/namespaces.mjs';
import { raisePriority } from './harness/priority.mjs';
import { verdict } from './harness/verdict.mjs';
import { astrayLimits, astrayLine, runAstray } from './queues/astray.mjs';
import { ACCOUNTING, compare, linesOf } from './queues/compare.mjs';
import { memif, PACKET_SOCKET, packetSocket } from './queues/ways.mjs';

const LEAST_RATIO = 1.8;
const CRASH_MS = 180_000;
/** For each queue. */
const CASES = {
  echo: { name: 'echo', load: 'echo', connections: 2000, unit: 'round trips/s' },
  http: { name: 'http', load: 'http', connections: 1000, unit: 'requests/s' },
};

const { rounds, firstMs, runMs, json, long, quick } = settingsOf({
  full: { rounds: 3, firstMs: 4000, runMs: 2500 },
  quick: { rounds: 1, firstMs: 2500, runMs: 1000 },
  flags: ['long'],
});

/** Network namespaces that go when we do. */
function makeNamespaces() {
  const made = [];
  process.once('exit', () => {
    killChildren();
    for (const namespaces of made) namespaces.remove();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  for (const tag of ['x', 'y']) made.push(new Namespaces(tag));
  return made;
}

/** For each wire the two systems of one queue, and the one of two. */
function makeWires([first, second], spaces) {
  const crossed = [
    { server: [first], load: [second] },
    { server: [second], load: [first] },
  ];
  const both = { server: [first, second], load: [second, first] };
  const socket = (name) => `dpdk-net-queues-${process.pid}-${name}`;
  return {
    memif: {
      one: [memif(crossed[0], socket('a')), memif(crossed[1], socket('b'))],
      two: memif(both, socket('c')),
    },
    af_packet: {
      one: [packetSocket(crossed[0], spaces[0]), packetSocket(crossed[1], spaces[1])],
      two: packetSocket(both, spaces[0]),
    },
  };
}

async function main() {
  const cpus = allowedCpus();
  if (cpus.length < 2) throw new Error('two queues need two processors');
  raisePriority(-20);
  const spaces = makeNamespaces();
  console.log(ACCOUNTING);
  const results = [];
  const settings = { rounds, times: { firstMs, warmupMs: 0, runMs, cases: CASES } };
  for (const [wire, ways] of Object.entries(makeWires(cpus.slice(-2), spaces))) {
    for (const [program, single] of Object.entries(CASES)) {
      const found = await compare(ways, program, single, settings);
      console.log(`${linesOf(`${program} over ${wire}`, single.unit, found).join('\n')}\n`);
      results.push({ wire, program, ...found });
    }
  }
  const crash = await runCrash(spaces[0], cpus);
  const strays = await runStrays();
  saveFigures(json, { machine: describeMachine(null), results, crash, strays });
  const limits = results.map(({ wire, program, ratio }) => [
    `${program} over ${wire}: two queues at least ${LEAST_RATIO} times one, at equal cores`,
    ratio.equalCores >= LEAST_RATIO,
  ]);
  limits.push(
    [
      'a worker crashes: the other keeps every connection',
      crash.keptEnded === 0 && crash.echoes > 0,
    ],
    ['it serves again within a second', crash.servedAgainMs < 1000],
  );
  limits.push(...strays.flatMap(astrayLimits));
  if (!verdict(limits, console.log)) process.exitCode = 1;
}

/** queues/crash.mjs, which is the load, in the kernel's namespace. */
async function runCrash({ client, server }, cpus) {
  const given = { host: PACKET_SOCKET, namespace: server, cpus: cpus.slice(-2).join(',') };
  const command = [process.execPath, at('bench/queues/crash.mjs'), JSON.stringify(given)];
  const child = new Child(command, { cpu: given.cpus, namespace: client });
  const found = await child.firstLine(CRASH_MS);
  const { kept, keptEnded, lost, servedAgainMs, echoes } = found;
  console.log(
    `a worker with ${lost} connections crashes under load: ${keptEnded} of the other's ${kept} end, which make ${echoes} echoes in a second; served again after ${servedAgainMs.toFixed(0)} ms\n`,
  );
  return found;
}

async function runStrays() {
  const connections = long ? 1_000_000 : quick ? 2000 : 20_000;
  const found = [];
  for (const queues of [2, 4]) {
    found.push(await runAstray(queues, connections));
    console.log(astrayLine(found.at(-1)));
  }
  return found;
}

await main();
process.exit();
