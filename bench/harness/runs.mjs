/**
 * One run: a server and a client process, the client's cases, and what both cost the processor.
 * @module
 */
import { find } from '../../tools/house/command.mjs';
import { at } from '../../tools/house/root.mjs';
import { PORTS } from '../programs.mjs';
import { Child, cpuSeconds } from './children.mjs';

const READY_MS = 15_000;
/** For opening and closing connections, per case. */
const PER_CASE_MS = 10_000;

/**
 * Runs the cases of `program` in a `way`. Returns a Map from the case's name to { rate, seconds,
 * cpu, cpuOf, message }: processor seconds of all, of [server, client], and what the client said;
 * throws an Error that says what the processes said when one of them fails.
 */
export async function runOnce(way, program, cases, times) {
  const settings = { program, ...times };
  const server = new Child(way.server.command(program, settings), way.server);
  try {
    await server.firstLine(READY_MS).catch((error) => failed('the server', error));
    return await runClient([server], way.client.command(program, settings), way.client, {
      cases,
      times,
    });
  } finally {
    await server.end();
  }
}

/** Runs one case of `pair` in a process of its own. */
export function runPairOnce(id, cpu, one, times) {
  const seconds = ['--seconds', `${times.runMs / 1000}`, '--warmup', `${times.firstMs / 1000}`];
  const command = [process.execPath, at('bench/pair.mjs'), id, ...seconds];
  return runClient([], command, { cpu, namespace: null }, { cases: [one], times });
}

/** Requests per second that wrk gets from a way's HTTP server; null when there is no wrk. */
export async function runWrk(way, { runMs }) {
  if (find('wrk') === null) return null;
  const seconds = Math.max(1, Math.round(runMs / 1000));
  const url = `http://${way.address}:${PORTS.http}/`;
  const server = new Child(way.server.command('http', {}), way.server);
  let wrk = null;
  try {
    await server.firstLine(READY_MS);
    wrk = new Child(['wrk', '-t1', '-c64', `-d${seconds}s`, url], way.client);
    const lines = [];
    wrk.onMessage((line) => lines.push(line));
    await wrk.ended;
    const rate = lines.join('\n').match(/^Requests\/sec:\s+([\d.]+)/m)?.[1];
    return rate === undefined ? null : Number(rate);
  } finally {
    await wrk?.end();
    await server.end();
  }
}

async function runClient(servers, command, where, { cases, times }) {
  const client = new Child(command, where);
  const processes = [...servers, client];
  const cpu = () => processes.map(({ pid }) => cpuSeconds(pid));
  const results = new Map();
  let before = [];
  const patience =
    READY_MS + times.firstMs + cases.length * (times.warmupMs + times.runMs + PER_CASE_MS);
  const finished = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it did not finish in time')), patience);
    const settle = (act, value) => {
      clearTimeout(timer);
      act(value);
    };
    client.onMessage((message) => {
      if (message.begin !== undefined) before = cpu();
      if (message.end !== undefined) {
        const { end, units, seconds } = message;
        const cpuOf = cpu().map((now, i) => now - before[i]);
        const sum = cpuOf.reduce((all, one) => all + one, 0);
        results.set(end, { rate: units / seconds, seconds, cpu: sum, cpuOf, message });
      }
      if (message.done === true && results.size === cases.length) settle(resolve);
    });
    void client.ended.then((why) => settle(reject, new Error(`the client: ${why}`)));
    for (const server of servers) {
      void server.ended.then((why) => settle(reject, new Error(`the server: ${why}`)));
    }
  });
  try {
    await finished;
    return results;
  } finally {
    await client.end();
  }
}

function failed(who, error) {
  throw new Error(`${who}: ${error.message}`);
}
