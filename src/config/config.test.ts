import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { complete, DEFAULTS } from '../tcp/options.ts';
import { type Config, loadConfig, parseConfig } from './config.ts';
import { ConfigError } from './problems.ts';
import { schema } from './schema.ts';
import { settableOptions, tcpSchema } from './tcp-keys.ts';

const WHOLE = `
[dpdk]
eal_args = ["-l", "0-3", "--no-huge"]
port = "0000:01:00.0"
memory = "64MiB"

[network]
ip = ["10.0.0.10/24", "fd00::10/64"]
gateway = ["10.0.0.1", "fe80::1"]
mtu = 1500
vlan = 7
mac = "02:00:00:00:00:0a"

[queues]
count = 1
rx_desc = 512
tx_desc = 256

[tcp]
rx_buffer_size = 65536
tx_buffer_size = "128KiB"

[routes]
kernel = ["127.0.0.0/8", "192.168.0.0/16"]

[poll]
spin = true
`;

const LEAST = `dpdk.vdev = "net_tap0"\nnetwork.ip = "10.0.0.2/24"\n`;

/** The message with which a text is refused. */
function refusal(text: string, settings: string[] = []): string {
  let config: Config | null = null;
  try {
    config = parseConfig(text, 'a.toml', settings);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  assert.fail(`accepted: ${JSON.stringify(config)}`);
}

test('a whole configuration arrives in the types of the stack', () => {
  const config = parseConfig(WHOLE, 'a.toml');
  assert.equal(config.dpdk.port, '0000:01:00.0');
  assert.deepEqual(config.dpdk.ealArgs, ['-l', '0-3', '--no-huge']);
  assert.equal(config.dpdk.memory, 64 << 20);
  assert.deepEqual(config.network.addresses.map(String), ['10.0.0.10/24', 'fd00::10/64']);
  assert.deepEqual(config.network.gateways.map(String), ['10.0.0.1', 'fe80::1']);
  assert.equal(config.network.mtu, 1500);
  assert.equal(config.network.vlan, 7);
  assert.deepEqual(config.network.mac, Uint8Array.of(2, 0, 0, 0, 0, 10));
  assert.deepEqual(config.queues, { count: 1, rxDesc: 512, txDesc: 256, gro: true });
  assert.equal(config.tcp.receiveBufferBytes, 65536);
  assert.equal(config.tcp.sendBufferBytes, 131072);
  assert.deepEqual(config.routes.kernel.map(String), ['127.0.0.0/8', '192.168.0.0/16']);
  assert.equal(config.poll.spin, true);
});

test('what is left out has its default', () => {
  const config = parseConfig(LEAST, 'a.toml');
  assert.equal(config.dpdk.port, '');
  assert.equal(config.dpdk.vdev, 'net_tap0');
  assert.deepEqual(config.dpdk.ealArgs, []);
  assert.equal(config.network.mtu, 0);
  assert.equal(config.network.mac, null);
  assert.deepEqual(config.queues, { count: 1, rxDesc: 1024, txDesc: 1024, gro: true });
  assert.deepEqual(config.routes.kernel.map(String), ['127.0.0.0/8', '::1/128']);
  assert.equal(config.poll.spin, false);
  assert.deepEqual(config.tap.hostAddresses, []);
});

test('every default in the schema is itself allowed', () => {
  for (const [table, { properties }] of Object.entries(schema.properties ?? {})) {
    for (const [key, { default: value }] of Object.entries(properties ?? {})) {
      if (value !== undefined)
        parseConfig(LEAST, 'a.toml', [`${table}.${key}=${JSON.stringify(value)}`]);
    }
  }
});

test('every option of TCP has its key', () => {
  assert.deepEqual([...settableOptions].sort(), Object.keys(DEFAULTS).sort());
});

test('every key of [tcp] reaches the stack, which takes its least and its most', () => {
  for (const [key, schema] of Object.entries(tcpSchema.properties ?? {})) {
    const { minimum, maximum, least, most, kind } = schema;
    const values = schema.enum ?? [minimum ?? least ?? false, maximum ?? most ?? true];
    const texts = values.map((value) => (kind === 'duration' ? `${value}ms` : String(value)));
    const seen = texts.map((text) => {
      // Both ends of the range of ports at once, so that neither is above the other.
      const settings = key.endsWith('ephemeral_port')
        ? [`tcp.first_ephemeral_port=${text}`, `tcp.last_ephemeral_port=${text}`]
        : [`tcp.${key}=${text}`];
      if (key === 'min_rto') settings.push('tcp.max_rto=10min');
      const { tcp } = parseConfig(LEAST, 'a.toml', settings);
      return JSON.stringify(complete(tcp));
    });
    assert.notEqual(seen[0], seen[1], key);
  }
});

test('a loopback stack needs no address', () => {
  assert.equal(parseConfig('dpdk.port = "loopback"', 'a.toml').dpdk.port, 'loopback');
});

test('--set overrides the file; a value that is no TOML is text', () => {
  const config = parseConfig(WHOLE, 'a.toml', [
    'network.mtu=9000',
    'network.ip=10.9.9.9/8',
    'network.gateway="10.0.0.1"',
    'poll.spin=false',
    'routes.kernel=[]',
    'tcp.rx_buffer_size=1MiB',
  ]);
  assert.equal(config.network.mtu, 9000);
  assert.deepEqual(config.network.addresses.map(String), ['10.9.9.9/8']);
  assert.equal(config.poll.spin, false);
  assert.deepEqual(config.routes.kernel, []);
  assert.equal(config.tcp.receiveBufferBytes, 1 << 20);
});

test('a setting that is wrong is named as it was typed', () => {
  assert.match(
    refusal(LEAST, ['network.mtu=lots']),
    /^--set network\.mtu=lots: \[network\] mtu = "lots"/,
  );
  assert.match(refusal(LEAST, ['mtu=1500']), /^--set mtu=1500: not of the form table\.key=value/);
  assert.match(
    refusal(LEAST, ['network.mtoo=1500']),
    /^--set network\.mtoo=1500: unknown key .*'mtu'/,
  );
  assert.match(
    refusal(LEAST, ['netwrk.mtu=1500']),
    /^--set netwrk\.mtu=1500: unknown table .*'network'/,
  );
});

test('a file that is not there is said to be missing', () => {
  assert.throws(() => loadConfig('no-such.toml'), /there is no no-such\.toml; write one/);
});

test('no text at all makes it throw anything but a ConfigError', () => {
  const words = [
    '[',
    ']',
    '=',
    '"',
    '.',
    '\n',
    'dpdk',
    'network',
    'ip',
    '10.0.0.2/24',
    '{',
    '}',
    ',',
    '1',
    '#',
    "'",
    '__proto__',
  ];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...words), fc.string())), (parts) => {
      try {
        parseConfig(parts.join(''), 'a.toml');
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('the example configuration is right', () => {
  const example = new URL('../../examples/dpdk-net.toml', import.meta.url);
  const config = parseConfig(readFileSync(example, 'utf8'), 'examples/dpdk-net.toml');
  assert.equal(config.dpdk.vdev, 'net_tap0,iface=dtap0');
});

test('[dns]: what is given, in the types of the resolver; the rest is left to resolv.conf', () => {
  const names = `dns = { servers = ["10.0.0.1", "fd00::1"], search = ["example.org"], ndots = 2,
    timeout = "3s", attempts = 4, hosts = "/names" }`.replaceAll('\n', ' ');
  assert.deepEqual(parseConfig(`${LEAST}${names}\n`, 'a.toml').dns, {
    servers: [
      { address: '10.0.0.1', port: 53 },
      { address: 'fd00::1', port: 53 },
    ],
    search: ['example.org'],
    ndots: 2,
    timeoutMs: 3000,
    attempts: 4,
    hostsFile: '/names',
  });
  assert.deepEqual(parseConfig(LEAST, 'a.toml').dns, { hostsFile: '/etc/hosts' });
  assert.match(refusal(`${LEAST}dns.servers = "ns.example.org"\n`), /a\.toml:3:\d+: /);
});
