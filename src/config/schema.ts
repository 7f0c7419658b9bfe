/**
 * The schema of dpdk-net.toml: the one place that says which keys there are, what they may be and
 * what they are when left out.
 * @module
 */
import { flag, integer, oneOrMore, type Schema, size, table } from './schema-parts.ts';
import { tcpSchema } from './tcp-keys.ts';

const MIB = 1024 * 1024;

export const schema: Schema = table('The configuration of dpdk-net.', {
  dpdk: table('The network card, real or virtual.', {
    port: {
      type: 'string',
      description:
        'The device: a PCI address, the name of a port, or "loopback" for no device at all. Either this or `vdev`.',
      minLength: 1,
      expects: 'a PCI address such as "0000:01:00.0", a port\'s name, or "loopback"',
    },
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
  network: table('Who we are.', {
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
    vlan: integer('The 802.1Q VLAN we are on; 0: none.', 0, 4094, 0),
    mac: {
      type: 'string',
      kind: 'mac',
      description: "The station's address; the device's own, when left out.",
      expects: 'six pairs of hexadecimal digits, such as "02:00:00:00:00:01"',
    },
  }),
  queues: table('The queues of the device; each is served by a stack of its own.', {
    count: integer('How many.', 1, 128, 1),
    rx_desc: integer('Receive descriptors per queue; the device may round it.', 32, 32768, 1024),
    tx_desc: integer('Transmit descriptors per queue; the device may round it.', 32, 32768, 1024),
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
  tap: table("The kernel's end of a net_tap device.", {
    host_ip: oneOrMore(
      "Addresses for the kernel's end of the device, so that this machine can talk to the stack.",
      'prefix',
      'an address with its prefix length, such as "10.0.0.1/24"',
      [],
    ),
  }),
  poll: table('The loop that drives the stack.', {
    spin: flag('Never sleep: the lowest latency, and all of one core.', false),
  }),
});
