/**
 * The schema of dpdk-net.toml: the one place that says which keys there are, what they may be and
 * what they are when left out.
 * @module
 */
import {
  choice,
  duration,
  flag,
  integer,
  oneOrMore,
  type Schema,
  size,
  table,
  tables,
  text,
} from './schema-parts.ts';
import { tcpSchema } from './tcp-keys.ts';

const MIB = 1024 * 1024;

const DEVICE = 'a PCI address such as "0000:01:00.0", an interface such as "eth1", "auto"';

const addressKeys = {
  ip: oneOrMore(
    'Our addresses, each with the prefix length of its network.',
    'prefix',
    'an address with its prefix length, such as "10.0.0.2/24" or "fd00::2/64"',
  ),
  gateway: oneOrMore(
    'The router for everything that is not on our own networks; at most one for each family.',
    'address',
    'an address, such as "10.0.0.1" or "fe80::1"',
  ),
  mtu: integer('Largest IP packet in bytes; what the device has, when left out.', 576, 9216),
  mtu_max: integer(
    'The largest MTU that the port can be given while it runs; as mtu, when left out.',
    576,
    9216,
  ),
  vlan: integer('The 802.1Q VLAN we are on; 0: none.', 0, 4094, 0),
  mac: {
    type: 'string',
    kind: 'mac',
    description: "The station's address; the device's own, when left out.",
    expects: 'six pairs of hexadecimal digits, such as "02:00:00:00:00:01"',
  },
  join: oneOrMore(
    'Multicast groups that the interface is in from its start, told to routers and switches by IGMP and MLD; a socket hears the groups that it joins itself.',
    'address',
    'a group, such as "239.1.2.3" or "ff02::fb"',
    [],
  ),
} satisfies Record<string, Schema>;

const descriptorKeys = {
  rx_desc: integer('Receive descriptors per queue; the device may round it.', 32, 32768, 1024),
  tx_desc: integer('Transmit descriptors per queue; the device may round it.', 32, 32768, 1024),
  gro: flag('Join what arrives at once of one TCP flow, in order, to one large segment.', true),
};

const hostAddresses = oneOrMore(
  "Addresses for the kernel's end of the device, so that this machine can talk to the stack.",
  'prefix',
  'an address with its prefix length, such as "10.0.0.1/24"',
  [],
);

export const schema: Schema = table('The configuration of dpdk-net.', {
  dpdk: table('The network card, real or virtual.', {
    port: text(
      'The device: a PCI address, an interface of the kernel, "auto" for the only card that DPDK may have, or "loopback" for no device at all. Either this or `vdev`.',
      `${DEVICE} or "loopback"`,
    ),
    vdev: {
      type: 'string',
      description: "A virtual device with its arguments, in DPDK's words. Either this or `port`.",
      minLength: 1,
      expects: 'a DPDK virtual device such as "net_tap0,iface=dtap0"',
    },
    eal_args: {
      type: 'array',
      description: "Further arguments for the EAL, DPDK's environment layer.",
      items: { type: 'string', minLength: 1, expects: 'one argument' },
      default: [],
      expects: 'a list of arguments such as ["-l", "0-3", "--no-huge"]',
    },
    memory: size('Memory for packets and socket buffers.', 16 * MIB, 1024 * MIB, 128 * MIB),
  }),
  network: table('Who we are.', addressKeys),
  queues: table('The queues of the device; each is served by a stack of its own.', {
    count: integer('How many.', 1, 128, 1),
    ...descriptorKeys,
  }),
  tcp: tcpSchema,
  routes: table('Which addresses the stack leaves to the kernel.', {
    kernel: oneOrMore(
      "Connections to, and listeners on, these go to the kernel's network.",
      'prefix',
      'a network such as "127.0.0.0/8"',
      ['127.0.0.0/8', '::1/128'],
    ),
  }),
  dns: table('Whom to ask for names. What is left out comes from /etc/resolv.conf.', {
    servers: oneOrMore(
      'Name servers, asked in this order; those in `routes.kernel` are asked through the kernel.',
      'address',
      'an address, such as "10.0.0.1"',
    ),
    search: {
      type: 'array',
      description: 'Domains that are tried behind a short name.',
      items: { type: 'string', minLength: 1, expects: 'a domain' },
      expects: 'a list of domains such as ["example.org"]',
    },
    ndots: integer('Dots with which a name is tried as it is first.', 0, 15),
    timeout: {
      type: 'string',
      kind: 'duration',
      description: 'How long a server has; twice as long in each further round.',
      least: 10,
      most: 60_000,
      expects: 'a duration from 10ms to 1min, such as "200ms" or "30s"',
    },
    attempts: integer('Rounds through the servers.', 1, 10),
    hosts: {
      type: 'string',
      description: 'The file of names that nobody has to be asked for.',
      minLength: 1,
      default: '/etc/hosts',
      expects: "a file's name",
    },
  }),
  tap: table("The kernel's end of a net_tap device.", {
    host_ip: hostAddresses,
  }),
  poll: table('The loop that drives the stack.', {
    spin: flag('Never sleep: the lowest latency, and all of one core.', false),
  }),
  workers: table('The threads of `dpdk-net run` when there are several queues, one for each.', {
    restart: flag(
      'A worker whose program throws is started again and the others go on; else the program ends with exit code 1, as under Node.',
      false,
    ),
    pin: flag('Each worker stays on a processor of its own, when there are enough.', true),
  }),
  shutdown: table(
    'The end of a program, on SIGINT or SIGTERM, unless it listens for them itself.',
    {
      drain: duration(
        'How long connections to its listeners may go on, while new ones are refused; then they are reset. A second signal ends it at once.',
        0,
        3_600_000,
        0,
      ),
    },
  ),
  admin: table("An HTTP server of the kernel's with metrics and reports; read only.", {
    listen: text(
      'Where it listens; there is none when left out. Anywhere but on loopback it needs a token.',
      'an address and a port such as "127.0.0.1:9464" or "[::1]:9464"',
    ),
    token: {
      type: 'string',
      minLength: 16,
      description: 'What a client has to send as "Authorization: Bearer TOKEN".',
      expects: 'at least 16 characters that nobody can guess',
    },
  }),
  log: table('One line for each event worth knowing; none when the table is left out.', {
    level: choice(
      "The least that is told; DPDK's own log is joined in.",
      ['debug', 'info', 'warn', 'error', 'off'],
      'info',
    ),
    format: choice('For people, or a JSON object in each line.', ['text', 'json'], 'text'),
    file: text(
      'Where it is appended, relative to the configuration file; to stderr when left out.',
      "a file's name",
    ),
  }),
  opentelemetry: table('Measurements for an OpenTelemetry collector; needs its packages.', {
    url: text(
      'Where it takes OTLP over HTTP; nothing is sent when left out.',
      'an http or https URL such as "http://127.0.0.1:4318/v1/metrics"',
    ),
    interval: duration('How often.', 100, 3_600_000, 10_000),
  }),
  ports: tables(
    'Several devices, each with a stack per queue; instead of the keys of [dpdk], [network], [queues] and [tap] that are here.',
    {
      name: text(
        'What listeners and reports call it; "port0", "port1", ... when left out.',
        'a name',
      ),
      device: text(
        'The device, real or virtual.',
        `${DEVICE}, or a DPDK virtual device such as "net_tap0,iface=dtap0"`,
      ),
      queues: integer('How many queues.', 1, 128, 1),
      ...descriptorKeys,
      ...addressKeys,
      host_ip: hostAddresses,
    },
    ['device'],
  ),
  flows: tables(
    'What becomes of received frames that match a pattern; the first rule that matches decides.',
    {
      rule: {
        type: 'string',
        kind: 'flow',
        description:
          'Pattern and action. Patterns: `eth src MAC dst MAC type 0x806`, `vlan 5`, `ipv4` or `ipv6` with `src` and `dst` networks, `tcp` or `udp` with `src` and `dst` ports, `icmp`, `icmpv6`, `protocol 47`. Actions: `queue 1`, `rss 0,2` (spread over these), `drop`, `count`, `mark 7`.',
        expects: 'PATTERN => ACTION, such as "ipv4 src 10.0.0.0/8 tcp dst 5000-5999 => drop"',
      },
      on: text(
        'Only on this one of [[ports]], by its name; on all when left out.',
        'the name of a port',
      ),
    },
    ['rule'],
  ),
  listeners: tables(
    'Services that `dpdk-net start` runs without a line of code, and listeners for the workers of a DpdkApp.',
    {
      name: text('What workers and reports call it; the service and port when left out.', 'a name'),
      service: choice(
        "Files of a folder over HTTP, every byte sent back, or the worker's own.",
        ['static', 'echo', 'app'],
        'app',
      ),
      port: integer('The TCP port.', 1, 65535),
      ip: {
        type: 'string',
        kind: 'address',
        description: 'Only this address; all of ours when left out.',
        expects: 'one of our addresses, such as "10.0.0.2"',
      },
      on: text('Only this one of [[ports]], by its name; all when left out.', 'the name of a port'),
      root: text(
        'The folder of a static service, relative to the configuration file.',
        'a folder such as "./public"',
      ),
      backlog: integer('Connections that wait to be accepted.', 1, 65535, 511),
    },
    ['port'],
  ),
});
