/**
 * Transfers between two simulated hosts over wires of every kind, one seed after the other, for
 * as long as you like. Build first.
 *
 *     node tools/simulate.mjs [--seed 1] [--runs 1000] [--seconds 60] [--trace]
 *
 * Each run: what one side wrote is what the other read, both ends close in an orderly way, and
 * nothing is left behind. Ends with exit status 1 when a run failed; `--seed N --runs 1 --trace`
 * repeats it and prints the last frames.
 * @module
 */
import { parseArgs } from 'node:util';
import { Address } from '../dist/stack/index.js';
import { serve, simulate, traceLink, transfer } from '../dist/testing/index.js';

const PORT = 7;
const HOUR_US = 3600e6;
const COOL_DOWN_US = 300e6;
const TRACED = 60;
/** From here on a connection may fail for good: three lost ARP requests, for example. */
const HEAVY_LOSS = 0.2;
const FORGIVEN = ['ETIMEDOUT', 'EHOSTUNREACH'];

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    trace: { type: 'boolean', default: false },
  },
});

/** What a run is made of, from its seed. */
function scenario(random) {
  const faults = {
    loss: random.pick([0, 0.01, 0.05, HEAVY_LOSS]),
    corrupt: random.pick([0, 0.01]),
    duplicate: random.pick([0, 0.05]),
    reorder: random.pick([0, 0.05, 0.3]),
    delay: random.pick([0, 100, 20_000, 100_000]),
    jitter: random.pick([0, 0, 5000]),
  };
  const bottleneck = {
    bitsPerSecond: random.pick([1e6, 10e6, 100e6]),
    queueBytes: random.pick([10_000, 60_000]),
  };
  const buffers = [4096, 65_536, 1 << 20];
  return {
    wire: {
      both: random.chance(0.4) ? { ...faults, ...bottleneck } : faults,
      segmentBytes: random.pick([0, 0, 30_000]),
      wire: random.pick(['checksummed', 'trusted']),
      mtu: random.pick([576, 1280, 1500, 9000]),
    },
    tcp: { receiveBufferBytes: random.pick(buffers), sendBufferBytes: random.pick(buffers) },
    there: random.pick([0, 1, 5000, 300_000]),
    back: random.pick([0, 1, 5000, 300_000]),
    version: random.pick([4, 6]),
  };
}

function run(seed, lines) {
  simulate({ seed, arenaBytes: 96 << 20 }, (network) => {
    const { wire, tcp, there, back, version } = scenario(network.random);
    const options = { tcp, heapBytes: 12 << 20 };
    const [a, b] = [network.addHost('a', options), network.addHost('b', options)];
    const v6 = version === 6 && wire.mtu >= 1280;
    const address = (host) => (v6 ? `fd00::${host}/64` : `10.0.0.${host}/24`);
    const write = (line) => lines.push(line);
    const wrap = (link, host) =>
      values.trace ? traceLink(link, { name: host.name, now: network.clock.now, write }) : link;
    network.join(a, address(1), b, address(2), { ...wire, wrap });

    const [question, answer] = [network.random.bytes(there), network.random.bytes(back)];
    let server = null;
    serve(b, PORT, (socket) => {
      server = transfer(socket, answer);
    });
    const remote = Address.parse(address(2).split('/')[0]);
    const socket = a.stack.tcp.connect({ address: remote, port: PORT });
    const client = transfer(socket, question);
    const said = JSON.stringify({ wire, tcp, there, back, version });
    try {
      const done = () => client.closed && (socket.error !== '' || (server?.closed ?? false));
      network.run(done, { timeoutUs: HOUR_US });
    } catch (error) {
      throw new Error(`${error.message} ${said}`, { cause: error });
    }
    if (socket.error !== '') {
      if (wire.both.loss >= HEAVY_LOSS && FORGIVEN.includes(socket.error)) return;
      throw new Error(`${socket.error} ${said}`);
    }
    if (!same(client.received, answer)) throw new Error(`the answer differs ${said}`);
    if (!same(server.received, question)) throw new Error(`the question differs ${said}`);
    network.runFor(COOL_DOWN_US);
    for (const { name, stack } of network.hosts) {
      const { connections, heapBytes, timers } = stack.counts();
      if (connections + heapBytes + timers > 0) throw new Error(`${name} has leftovers ${said}`);
    }
  });
}

function same(x, y) {
  return x.length === y.length && x.every((byte, i) => byte === y[i]);
}

const end = Date.now() + 1000 * Number(values.seconds);
let runs = 0;
let failed = 0;
for (let seed = Number(values.seed); runs < Number(values.runs) && Date.now() < end; seed++) {
  const lines = [];
  try {
    run(seed, lines);
  } catch (error) {
    failed++;
    console.log(`${error.message}\n`);
  }
  if (values.trace) console.log(lines.slice(-TRACED).join('\n'));
  runs++;
}
console.log(`${runs - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
