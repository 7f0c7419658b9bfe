/**
 * The ways in which a program runs: over memif on our stack, or on the kernel's; on which
 * processors, in which namespaces.
 * @module
 */
import { at } from '../../tools/house/root.mjs';
import { Namespaces } from './namespaces.mjs';

const ADDRESS = { local: '10.99.0.1', address: '10.99.0.2' };
const node = process.execPath;
const bench = (file) => at(`bench/${file}`);

/** The server that plain Node runs for a program. */
const nodeServer = (program) =>
  program === 'http' ? bench('peers/hello.mjs') : bench('peers/server.mjs');

/** On our stack, with its own sockets; for HTTP the server is an unmodified Node program. */
function lean({ server, client, socket }) {
  return {
    id: 'lean',
    title: 'ours, lean sockets',
    variant: (program) => (program === 'http' ? 'node:http server, lean client' : 'lean'),
    isOurs: true,
    programs: ['echo', 'stream', 'connect', 'http'],
    server: {
      cpu: server,
      namespace: null,
      command: (program, settings) =>
        program === 'http'
          ? onOurStack('server', nodeServer(program), settings, socket)
          : [node, bench('lean/server.mjs'), json({ ...settings, ...ADDRESS, socket })],
    },
    client: {
      cpu: client,
      namespace: null,
      command: (_, settings) => [
        node,
        bench('lean/client.mjs'),
        json({ ...settings, ...ADDRESS, socket }),
      ],
    },
  };
}

/** The plain Node programs, both of them, on our stack through `dpdk-net run`. */
function unmodified({ server, client, socket }) {
  return {
    id: 'net',
    title: 'ours, unmodified node:net',
    variant: () => 'net',
    isOurs: true,
    programs: ['echo', 'stream', 'connect', 'http'],
    server: {
      cpu: server,
      namespace: null,
      command: (program, settings) => onOurStack('server', nodeServer(program), settings, socket),
    },
    client: {
      cpu: client,
      namespace: null,
      command: (_, settings) => onOurStack('client', bench('peers/client.mjs'), settings, socket),
    },
  };
}

/** On our stack through `dpdk-net run`, with the connections of `dpdk-net/stream`. */
function streams({ server, client, socket }) {
  const command = (role) => (_, settings) =>
    onOurStack(role, bench(`streams/${role}.mjs`), settings, socket);
  return {
    id: 'stream',
    title: 'ours, TcpStream',
    variant: () => 'TcpStream',
    isOurs: true,
    programs: ['echo', 'stream'],
    server: { cpu: server, namespace: null, command: command('server') },
    client: { cpu: client, namespace: null, command: command('client') },
  };
}

function onOurStack(role, program, settings, socket) {
  const ip = role === 'server' ? ADDRESS.address : ADDRESS.local;
  return [
    node,
    at('lib/cli/main.js'),
    'run',
    '--quiet',
    '--config',
    bench('memif.toml'),
    '--set',
    `dpdk.vdev=net_memif0,role=${role},id=0,socket=${socket}`,
    '--set',
    `network.ip=${ip}/24`,
    program,
    json({ ...settings, ...ADDRESS }),
  ];
}

/** Plain Node on the kernel. */
function kernel(wire, placement, { server, client }, namespaces) {
  const address = wire === 'veth' ? Namespaces.SERVER_ADDRESS : '127.0.0.1';
  const inside = (end) => {
    if (namespaces === null) return null;
    return wire === 'veth' ? namespaces[end] : namespaces.loopback;
  };
  return {
    id: `${wire}, ${placement}`,
    title: `kernel ${wire}, ${placement}`,
    isOurs: false,
    programs: ['echo', 'stream', 'connect', 'http'],
    address,
    server: {
      cpu: server,
      namespace: inside('server'),
      command: (program) => [node, nodeServer(program)],
    },
    client: {
      cpu: client,
      namespace: inside('client'),
      command: (_, settings) => [node, bench('peers/client.mjs'), json({ ...settings, address })],
    },
  };
}

/**
 * The ways that this machine allows. `namespaces` null: no veth, and the machine's own loopback.
 * `cpus`: the processors allowed.
 */
export function makeWays({ cpus, namespaces, hasDpdk, socket }) {
  const apart = { server: cpus.at(-2) ?? cpus[0], client: cpus.at(-1) };
  const together = { server: apart.client, client: apart.client };
  const wires = namespaces === null ? ['loopback'] : ['loopback', 'veth'];
  const placements = { 'one core': together, ...(cpus.length > 1 ? { 'a core each': apart } : {}) };
  const ways = wires.flatMap((wire) =>
    Object.entries(placements).map(([placement, where]) =>
      kernel(wire, placement, where, namespaces),
    ),
  );
  if (!hasDpdk) return ways;
  const ours = [lean, streams, unmodified].map((way) => way({ ...apart, socket }));
  return [...ours, ...ways];
}

function json(value) {
  return JSON.stringify(value);
}
