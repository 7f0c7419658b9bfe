import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { type Config, configOfPort, parseConfig, readDocument } from './config.ts';
import { explain, explainedText } from './explain.ts';
import { jsonSchema } from './json-schema.ts';
import { ConfigError } from './problems.ts';
import { parseDocument } from './toml.ts';

const TOML = `
[[ports]]
device = "0000:01:00.0"
ip = "10.0.0.2/24"
[tcp]
no_delay = true
[[listeners]]
service = "echo"
port = 7
[[listeners]]
port = 80
[[flows]]
rule = "ipv4 src 10.0.0.0/8 tcp dst 80 => drop"
`;

const PLAIN = {
  ports: [{ device: '0000:01:00.0', ip: '10.0.0.2/24' }],
  tcp: { no_delay: true },
  listeners: [{ service: 'echo', port: 7 }, { port: 80 }],
  flows: [{ rule: 'ipv4 src 10.0.0.0/8 tcp dst 80 => drop' }],
};

const read = (value: unknown): Config => parseConfig(JSON.stringify(value), 'a.json');

test('TOML, plain JSON and the forms of SPDK say the same', () => {
  const expected = parseConfig(TOML, 'a.toml');
  assert.equal(expected.listeners[1]!.name, 'app-80');
  const { ports, tcp, listeners, flows } = PLAIN;
  const set = (params: unknown): unknown => [{ method: 'set', params }];
  const forms = [
    PLAIN,
    { subsystems: [{ subsystem: 'dpdk_net', config: PLAIN }] },
    {
      subsystems: [
        { subsystem: 'bdev', config: null },
        { subsystem: 'dpdk_net', config: { ports } },
        { subsystem: 'tcp', config: tcp },
        { subsystem: 'listeners', config: listeners.map((params) => ({ method: 'add', params })) },
        { subsystem: 'flows', config: flows.map((params) => ({ method: 'add', params })) },
      ],
    },
    {
      subsystems: [
        { subsystem: 'dpdk_net', config: set({ ports, listeners, flows }) },
        { subsystem: 'tcp', config: set(tcp) },
      ],
    },
  ];
  for (const form of forms) assert.deepEqual(read(form), expected);
});

test('a value of JSON knows its line and column', () => {
  const { values, keys } = readDocument('{\n  "tcp": {\n    "ecn": "off"\n} }', 'a.json', {});
  assert.deepEqual(keys.get('/tcp/ecn'), { source: 'a.json', line: 3, column: 5 });
  assert.deepEqual(values.get('/tcp/ecn'), { source: 'a.json', line: 3, column: 12 });
});

test('no JSON at all makes it throw anything but a ConfigError', () => {
  const names = fc.constantFrom('subsystems', 'subsystem', 'config', 'method', 'params', 'tcp');
  const values = fc.constantFrom('dpdk_net', 'tcp', 'set', 'add', 'listeners', '__proto__');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      values,
      fc.jsonValue(),
      fc.array(tie('tree')),
      fc.dictionary(names, tie('tree')),
    ),
  }));
  fc.assert(
    fc.property(
      fc.oneof(
        tree.map((value) => JSON.stringify(value)),
        fc.string(),
      ),
      (text) => {
        try {
          parseConfig(text, 'a.json');
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
  assert.equal(({} as { tcp?: unknown }).tcp, undefined);
});

test('the published JSON Schema is what the schema says (node tools/gen-config.mjs)', () => {
  const file = new URL('../../dpdk-net.schema.json', import.meta.url);
  assert.deepEqual(
    JSON.parse(readFileSync(file, 'utf8')),
    JSON.parse(JSON.stringify(jsonSchema())),
  );
});

test('any validator understands the published schema, and finds the common faults', () => {
  const check = new Ajv({ strict: true, allowUnionTypes: true }).compile(jsonSchema());
  assert.ok(check(PLAIN), JSON.stringify(check.errors));
  const example = new URL('../../examples/dpdk-net.toml', import.meta.url);
  const { root } = parseDocument(readFileSync(example, 'utf8'), 'example');
  assert.ok(check(JSON.parse(JSON.stringify(root))), JSON.stringify(check.errors));
  for (const faulty of [
    { tpc: {} },
    { tcp: { no_dealy: true } },
    { tcp: { rx_buffer_size: '64K' } },
    { tcp: { rx_buffer_size: 1 } },
    { network: { ip: '10.0.0.2' } },
    { listeners: [{ service: 'echo' }] },
  ]) {
    assert.equal(check(faulty), false, JSON.stringify(faulty));
  }
});

test('explain() tells each value and where it comes from', () => {
  const document = readDocument('[network]\nmtu = 1400\n[[listeners]]\nport = 7\n', 'a.toml', {
    environment: { DPDK_NET_NETWORK__VLAN: '3', DPDK_NET_CONFIG: 'x' },
    settings: ['network.ip=10.0.0.2/24', 'dpdk.port=loopback'],
  });
  const tables = explain(document);
  const network = tables.find(({ title }) => title === '[network]')!.values;
  const from = Object.fromEntries(
    network.map(({ key, value, from: place }) => [key, [value, place]]),
  );
  assert.deepEqual(from, {
    ip: ['10.0.0.2/24', '--set network.ip=10.0.0.2/24'],
    gateway: [undefined, 'default'],
    mtu: [1400, 'a.toml:2'],
    mtu_max: [undefined, 'default'],
    vlan: [3, 'environment DPDK_NET_NETWORK__VLAN=3'],
    join: [[], 'default'],
    mac: [undefined, 'default'],
  });
  const text = explainedText(tables);
  assert.match(text, /^mtu = 1400 +# a\.toml:2$/m);
  assert.match(text, /^\[\[listeners\]\]\n[^[]*^port = 7 +# a\.toml:4$/m);
  assert.match(text, /^spin = false +# default$/m);
  assert.equal(parseConfig(text, 'b.toml').network.mtu, 1400);
});

test('the environment overrides the file, and --set the environment', () => {
  const text = 'dpdk.port = "loopback"\n[[listeners]]\nport = 7';
  const environment = { DPDK_NET_LISTENERS__0__PORT: '8', DPDK_NET_TCP__NO_DELAY: 'true' };
  const value = (settings: string[]): unknown =>
    (
      readDocument(text, 'a.toml', { environment, settings }).root['listeners'] as {
        port: number;
      }[]
    )[0]!.port;
  assert.equal(value([]), 8);
  assert.equal(value(['listeners.0.port=9']), 9);
});

test('configOfPort() is the configuration of one of several ports', () => {
  const config = parseConfig(
    `${TOML}[[ports]]\ndevice = "net_tap1,iface=b"\nip = "10.0.1.2/24"\nhost_ip = "10.0.1.1/24"`,
    'a.toml',
  );
  assert.deepEqual([config.dpdk.port, config.dpdk.vdev], ['0000:01:00.0', '']);
  const second = configOfPort(config, config.ports[1]!);
  assert.deepEqual([second.dpdk.port, second.dpdk.vdev], ['', 'net_tap1,iface=b']);
  assert.deepEqual(second.network.addresses.map(String), ['10.0.1.2/24']);
  assert.deepEqual(second.tap.hostAddresses.map(String), ['10.0.1.1/24']);
});
