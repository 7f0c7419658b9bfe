/**
 * Servers on one queue and on two, and their loads: over memif and over af_packet.
 * @module
 */
import { at } from '../../tools/house/root.mjs';

const node = process.execPath;
const CONFIG = at('bench/memif.toml');
const MEMIF = { server: '10.99.0.2', client: '10.99.0.1' };
/** Beside the kernel's own address at the server's end of the veth pair. */
export const PACKET_SOCKET = '10.98.0.3';

/** The unmodified Node program that serves a load. */
const SERVERS = { echo: at('bench/peers/echo.mjs'), http: at('bench/peers/hello.mjs') };

const sets = (settings) => settings.flatMap((setting) => ['--set', setting]);

/**
 * A way for runOnce(): a queue of the server on each of `cpus.server`, a thread that loads on each
 * of `cpus.load`.
 */
function way({ cpus, namespaces, serverSettings, load }) {
  const queues = cpus.server.length;
  return {
    server: {
      cpu: cpus.server.join(','),
      namespace: namespaces?.server ?? null,
      command: (program) => [
        ...[node, at('lib/cli/main.js'), 'run', '--quiet', '--queues', `${queues}`],
        ...['--config', CONFIG, ...sets(['poll.spin=false', ...serverSettings])],
        SERVERS[program],
      ],
    },
    client: {
      cpu: cpus.load.join(','),
      namespace: namespaces?.client ?? null,
      command: (program, times) => {
        const given = { ...times, ...load, one: times.cases[program], queues, cpus: cpus.load };
        return [node, at('bench/queues/load.mjs'), JSON.stringify(given)];
      },
    },
  };
}

/** Ours at both ends. */
export function memif(cpus, socket) {
  const device = (role) => `dpdk.vdev=net_memif0,role=${role},id=0,socket=${socket}`;
  const settings = [device('client'), `network.ip=${MEMIF.client}/24`];
  return way({
    cpus,
    namespaces: null,
    serverSettings: [device('server'), `network.ip=${MEMIF.server}/24`],
    load: {
      address: MEMIF.server,
      config: CONFIG,
      settings: [...settings, 'poll.spin=false', `queues.count=${cpus.load.length}`],
    },
  });
}

/** Ours over a packet socket at one end of a veth pair, the kernel at the other. */
export function packetSocket(cpus, namespaces) {
  return way({
    cpus,
    namespaces,
    serverSettings: [
      `dpdk.vdev=net_af_packet0,iface=veth0,qpairs=${cpus.server.length}`,
      `network.ip=${PACKET_SOCKET}/24`,
    ],
    load: { address: PACKET_SOCKET },
  });
}
