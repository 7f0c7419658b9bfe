import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Config, configOf, parseConfig, readDocument } from './config.ts';
import { ConfigError } from './problems.ts';

const LEAST = `dpdk.vdev = "net_tap0"\nnetwork.ip = "10.0.0.2/24"\n`;

/** The message with which a text is refused. */
function refusal(text: string, settings: string[] = [], language = 'toml'): string {
  let config: Config | null = null;
  try {
    config = parseConfig(text, `a.${language}`, settings);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  assert.fail(`accepted: ${JSON.stringify(config)}`);
}

/** [what, text, the whole message or its pattern] */
const FAULTY: [string, string, string | RegExp][] = [
  ['not TOML', '[dpdk\n', /^a\.toml:\d+:\d+: not TOML: /],
  ['no value', '[dpdk]\nport =\n', /^a\.toml:\d+:\d+: not TOML: unspecified values/],
  ['a key twice', '[dpdk]\nport="a"\nport="b"', /^a\.toml:3:1: not TOML: defining a key multiple/],
  ['a table twice', '[dpdk]\n[dpdk]\n', /^a\.toml:2:\d+: not TOML: /],
  ['a bare word', '[dpdk]\nport = eth0', /^a\.toml:2:\d+: not TOML: /],
  [
    'a table misspelled',
    `${LEAST}[queue]\ncount = 1`,
    /^a\.toml:3:1: unknown table \[queue\]: did you mean 'queues'\?; the tables are dpdk, network, /,
  ],
  [
    'an unknown table',
    `${LEAST}[weather]\n`,
    /^a\.toml:3:1: unknown table \[weather\]; the tables are /,
  ],
  [
    'a key misspelled',
    `${LEAST}[tcp]\n  rx_bufer_size = 1`,
    /^a\.toml:4:3: unknown key 'rx_bufer_size' in \[tcp\]: did you mean 'rx_buffer_size'\?; \[tcp\] takes rx_buffer_size, /,
  ],
  [
    'an unknown key',
    `${LEAST}[poll]\nmaximum_power = 1`,
    /^a\.toml:4:1: unknown key 'maximum_power' in \[poll\]; \[poll\] takes spin$/,
  ],
  [
    'a key in the wrong table',
    `${LEAST}[tcp]\nmtu = 1500`,
    /^a\.toml:4:1: unknown key 'mtu' in \[tcp\]: it belongs in \[network\];/,
  ],
  [
    'a key outside any table',
    `mtu = 1500\n${LEAST}`,
    /^a\.toml:1:1: unknown table \[mtu\]: it belongs in \[network\];/,
  ],
  ['__proto__', `${LEAST}[__proto__]\nx = 1`, /^a\.toml:3:1: unknown table \[__proto__\]/],
  ['a value for a table', 'dpdk = 3', /^a\.toml:1:8: 'dpdk' is a table: write \[dpdk\]/],
  [
    'an array of tables',
    `${LEAST}[[queues]]\ncount = 1`,
    /^a\.toml:3:1: 'queues' is a table: write \[queues\]/,
  ],
  [
    'text for a number',
    `${LEAST}network.mtu = "1500"`,
    'a.toml:3:15: [network] mtu = "1500" is not allowed; allowed is a whole number from 576 to 9216',
  ],
  [
    'a fraction',
    `${LEAST}queues.count = 1.5`,
    'a.toml:3:16: [queues] count = 1.5 is not allowed; allowed is a whole number from 1 to 128',
  ],
  [
    'too small',
    `${LEAST}network.mtu = 100`,
    'a.toml:3:15: [network] mtu = 100 is not allowed; allowed is a whole number from 576 to 9216',
  ],
  [
    'too large',
    `${LEAST}network.vlan = 4095`,
    'a.toml:3:16: [network] vlan = 4095 is not allowed; allowed is a whole number from 0 to 4094',
  ],
  [
    'negative',
    `${LEAST}queues.rx_desc = -1`,
    /^a\.toml:3:18: \[queues\] rx_desc = -1 is not allowed/,
  ],
  [
    'infinite',
    `${LEAST}queues.tx_desc = inf`,
    /^a\.toml:3:18: \[queues\] tx_desc = Infinity is not allowed/,
  ],
  [
    'a number for a flag',
    `${LEAST}poll.spin = 1`,
    'a.toml:3:13: [poll] spin = 1 is not allowed; allowed is true or false',
  ],
  [
    'a date for a number',
    `${LEAST}network.mtu = 1979-05-27`,
    /^a\.toml:3:15: \[network\] mtu = .* is not allowed/,
  ],
  [
    'a list for a text',
    `network.ip = "10.0.0.2/24"\ndpdk.vdev = ["net_tap0"]`,
    /^a\.toml:2:13: \[dpdk\] vdev = \["net_tap0"\] is not allowed; allowed is a DPDK virtual device/,
  ],
  [
    'an empty text',
    `network.ip = "10.0.0.2/24"\ndpdk.port = ""`,
    /^a\.toml:2:13: \[dpdk\] port = "" is not allowed/,
  ],
  [
    'a number among arguments',
    `${LEAST}dpdk.eal_args = ["-l", 0]`,
    'a.toml:3:24: [dpdk] eal_args[1] = 0 is not allowed; allowed is one argument',
  ],
  [
    'text for a list',
    `${LEAST}dpdk.eal_args = "-l 0"`,
    /^a\.toml:3:17: \[dpdk\] eal_args = "-l 0" is not allowed; allowed is a list of arguments/,
  ],
  [
    'a size without a known unit',
    `${LEAST}tcp.rx_buffer_size = "64K"`,
    /^a\.toml:3:22: \[tcp\] rx_buffer_size = "64K" is not allowed; allowed is a size from 4KiB to 16MiB/,
  ],
  ['a size too small', `${LEAST}tcp.tx_buffer_size = 100`, /^a\.toml:3:22: .* a size from 4KiB/],
  [
    'a size too large',
    `${LEAST}dpdk.memory = "8GiB"`,
    /^a\.toml:3:15: .* a size from 16MiB to 1GiB/,
  ],
  ['half a byte', `${LEAST}dpdk.memory = "0.3B"`, /^a\.toml:3:15: /],
  [
    'an address without a length',
    'dpdk.vdev="x"\nnetwork.ip = "10.0.0.2"',
    /^a\.toml:2:14: \[network\] ip = "10\.0\.0\.2" is not allowed; allowed is an address with its prefix length, such as "10\.0\.0\.2\/24"/,
  ],
  ['no such address', 'dpdk.vdev="x"\nnetwork.ip = "10.0.0.300/24"', /^a\.toml:2:14: /],
  ['a prefix too long', 'dpdk.vdev="x"\nnetwork.ip = "10.0.0.2/33"', /^a\.toml:2:14: /],
  [
    'the second of a list',
    'dpdk.vdev="x"\nnetwork.ip = ["10.0.0.2/24",\n  "fd00::zz/64"]',
    /^a\.toml:3:3: \[network\] ip\[1\] = "fd00::zz\/64" is not allowed; allowed is an address with its prefix length/,
  ],
  ['an empty list', 'dpdk.vdev="x"\nnetwork.ip = []', /^a\.toml:2:14: \[network\] ip is empty/],
  [
    'a list with twins',
    'dpdk.vdev="x"\nnetwork.ip = ["10.0.0.2/24", "10.0.0.2/24"]',
    /^a\.toml:2:14: \[network\] ip has the same value twice/,
  ],
  [
    'the same address in two words',
    'dpdk.vdev="x"\nnetwork.ip = ["10.0.0.2/24", "10.0.0.2/16"]',
    /^a\.toml:2:30: \[network\] ip 10\.0\.0\.2\/16: this address is there twice/,
  ],
  [
    'the address of a network',
    'dpdk.vdev="x"\nnetwork.ip = "10.0.0.0/24"',
    'a.toml:2:14: [network] ip 10.0.0.0/24: this is the address of the network itself; hosts start at 10.0.0.1/24',
  ],
  [
    'a broadcast address',
    'dpdk.vdev="x"\nnetwork.ip = "10.0.0.255/24"',
    /broadcast address of the network; hosts start at 10\.0\.0\.1\/24/,
  ],
  ['a group address', 'dpdk.vdev="x"\nnetwork.ip = "ff02::1/64"', /no host can have this address/],
  [
    'a loopback address',
    'dpdk.vdev="x"\nnetwork.ip = "127.0.0.1/8"',
    /loopback addresses are there by themselves/,
  ],
  [
    'a gateway with a length',
    `${LEAST}network.gateway = "10.0.0.1/24"`,
    /^a\.toml:3:19: .* allowed is an address, such as "10\.0\.0\.1"/,
  ],
  [
    'a gateway far away',
    `${LEAST}network.gateway = "10.0.1.1"`,
    'a.toml:3:19: [network] gateway 10.0.1.1: it is on none of our networks (10.0.0.2/24)',
  ],
  [
    'a gateway of the other family',
    `${LEAST}network.gateway = "fd00::1"`,
    /on none of our networks \(no IPv6 address\)/,
  ],
  ['our own gateway', `${LEAST}network.gateway = "10.0.0.2"`, /this is our own address/],
  [
    'two gateways of a family',
    `${LEAST}network.gateway = ["10.0.0.1", "10.0.0.3"]`,
    'a.toml:3:32: [network] gateway 10.0.0.3: a second gateway for IPv4',
  ],
  [
    'an mtu too small for IPv6',
    'dpdk.vdev="x"\nnetwork.ip="fd00::1/64"\nnetwork.mtu = 1000',
    'a.toml:3:15: [network] mtu = 1000 is too small: IPv6 needs at least 1280',
  ],
  [
    'no MAC address',
    `${LEAST}network.mac = "02-00-00-00-00-01"`,
    /^a\.toml:3:15: .* six pairs of hexadecimal digits/,
  ],
  [
    'a MAC address of a group',
    `${LEAST}network.mac = "03:00:00:00:00:01"`,
    /^a\.toml:3:15: \[network\] mac is no station/,
  ],
  [
    'two devices',
    `${LEAST}dpdk.port = "eth0"`,
    'a.toml:1:13: [dpdk] has both port and vdev: one device, please',
  ],
  ['no device', 'network.ip = "10.0.0.2/24"', /^\[dpdk\] needs a device: port = /],
  ['no address', '[dpdk]\nvdev = "net_tap0"', '[network] needs ip, such as ip = "10.0.0.2/24"'],
  [
    'buffers beyond the memory',
    `${LEAST}dpdk.memory = "16MiB"\ntcp.rx_buffer_size = "16MiB"`,
    /\[tcp\] buffers of one connection do not fit in \[dpdk\] memory/,
  ],
  [
    'ports the wrong way round',
    `${LEAST}tcp.first_ephemeral_port = 61000`,
    'a.toml:3:28: [tcp] first_ephemeral_port is above last_ephemeral_port',
  ],
  [
    'a word that is none of the choices',
    `${LEAST}tcp.congestion = "cubik"`,
    'a.toml:3:18: [tcp] congestion = "cubik" is not allowed: did you mean \'cubic\'?; allowed is "cubic" or "newreno" or "bbr" or "none"',
  ],
  [
    'a duration without a unit',
    `${LEAST}tcp.time_wait = 30`,
    'a.toml:3:17: [tcp] time_wait = 30 is not allowed; allowed is a duration from 0ms to 10min, such as "200ms" or "30s"',
  ],
  [
    'a duration too long',
    `${LEAST}tcp.delayed_ack = "1s"`,
    /^a\.toml:3:19: .* a duration from 0ms to 499ms/,
  ],
  [
    'a host side where there is none',
    'dpdk.port="a"\nnetwork.ip="10.0.0.2/24"\ntap.host_ip = "10.0.0.1/24"',
    'a.toml:3:15: [tap] host_ip is for a net_tap device: vdev = "net_tap0,iface=dtap0"',
  ],
  [
    'a kernel route that is none',
    `${LEAST}routes.kernel = ["lo"]`,
    /^a\.toml:3:18: \[routes\] kernel\[0\] = "lo" is not allowed; allowed is a network such as/,
  ],
];

/** The same for lists of tables. */
const FAULTY_LISTS: [string, string, string | RegExp][] = [
  [
    'ports without a list',
    '[ports]\ndevice = "auto"',
    /^a\.toml:1:1: 'ports' is a list of tables: write \[\[ports\]\] and its keys below it/,
  ],
  [
    'a port without a device',
    '[[ports]]\nip = "10.0.0.2/24"',
    /^a\.toml:1:1: \[\[ports\]\] 1 needs device: a PCI address/,
  ],
  [
    'a misspelled key of the second port',
    '[[ports]]\ndevice="a"\nip="10.0.0.2/24"\n[[ports]]\ndevice="b"\nipp="10.0.1.2/24"',
    /^a\.toml:6:1: unknown key 'ipp' in \[\[ports\]\] 2: did you mean 'ip'\?; \[\[ports\]\] 2 takes name, /,
  ],
  [
    'a wrong value of a port',
    '[[ports]]\ndevice="a"\nip=["10.0.0.2/24", "x"]',
    /^a\.toml:3:20: \[\[ports\]\] 1: ip\[1\] = "x" is not allowed; allowed is an address/,
  ],
  [
    'a port without an address',
    '[[ports]]\ndevice="a"',
    'a.toml:1:1: [[ports]] 1: needs ip, such as ip = "10.0.0.2/24"',
  ],
  [
    'a device twice',
    '[[ports]]\ndevice="a"\nip="10.0.0.2/24"\n[[ports]]\ndevice="a"\nip="10.0.1.2/24"',
    'a.toml:5:8: [[ports]] 2: the device a is taken by another port',
  ],
  [
    'two ports of one name',
    '[[ports]]\ndevice="a"\nip="10.0.0.2/24"\n[[ports]]\nname="port0"\ndevice="b"\nip="10.0.1.2/24"',
    'a.toml:5:6: [[ports]] 2: a second port called "port0"',
  ],
  [
    'keys of one port beside a list of ports',
    '[[ports]]\ndevice="a"\nip="10.0.0.2/24"\n[network]\nmtu = 1500',
    'a.toml:5:7: [network] mtu is beside [[ports]]: say it there, for each port',
  ],
  [
    'a gateway of a port far away',
    '[[ports]]\ndevice="a"\nip="10.0.0.2/24"\ngateway="10.9.0.1"',
    'a.toml:4:9: [[ports]] 1: gateway 10.9.0.1: it is on none of our networks (10.0.0.2/24)',
  ],
  [
    'a host side of a port that has none',
    '[[ports]]\ndevice="a"\nip="10.0.0.2/24"\nhost_ip="10.0.0.1/24"',
    /^a\.toml:4:9: \[\[ports\]\] 1: host_ip is for a net_tap device/,
  ],
  [
    'a listener without a port',
    `${LEAST}[[listeners]]\nservice = "echo"`,
    'a.toml:3:1: [[listeners]] 1 needs port: a whole number from 1 to 65535',
  ],
  [
    'a service that there is not',
    `${LEAST}[[listeners]]\nservice = "ecco"\nport = 7`,
    'a.toml:4:11: [[listeners]] 1: service = "ecco" is not allowed: did you mean \'echo\'?; allowed is "static" or "echo" or "app"',
  ],
  [
    'a static service without a folder',
    `${LEAST}[[listeners]]\nservice = "static"\nport = 80`,
    'a.toml:4:11: [[listeners]] 1: a static service needs the folder to serve: root = "./public"',
  ],
  [
    'a folder that is not there',
    `${LEAST}[[listeners]]\nservice = "static"\nport = 80\nroot = "no-such-folder"`,
    /^a\.toml:6:8: \[\[listeners\]\] 1: there is no folder .*no-such-folder$/,
  ],
  [
    'a folder for nothing',
    `${LEAST}[[listeners]]\nservice = "echo"\nport = 7\nroot = "."`,
    'a.toml:6:8: [[listeners]] 1: root is for service = "static"',
  ],
  [
    'a port of TCP twice',
    `${LEAST}[[listeners]]\nport = 7\n[[listeners]]\nname = "b"\nport = 7`,
    'a.toml:7:8: [[listeners]] 2: port 7 is taken by another listener',
  ],
  [
    'a listener on a port that there is not',
    `${LEAST}[[listeners]]\nport = 7\non = "port7"`,
    'a.toml:5:6: [[listeners]] 1: there is no port "port7"; there is port0',
  ],
  [
    "a listener on somebody else's address",
    `${LEAST}[[listeners]]\nport = 7\nip = "10.0.0.3"`,
    'a.toml:5:6: [[listeners]] 1: 10.0.0.3 is none of our addresses (10.0.0.2/24)',
  ],
];

const FAULTY_ADMIN: [string, string, string | RegExp][] = [
  [
    'an admin server without a port',
    `${LEAST}admin.listen = "127.0.0.1"`,
    'a.toml:3:16: [admin] listen = "127.0.0.1" is not allowed; allowed is an address and a port such as "127.0.0.1:9464"',
  ],
  [
    'a collector that is no URL',
    `${LEAST}opentelemetry.url = "127.0.0.1:4318"`,
    'a.toml:3:21: [opentelemetry] url = "127.0.0.1:4318" is not allowed; allowed is an http or https URL such as "http://127.0.0.1:4318/v1/metrics"',
  ],
  [
    'an admin server for everybody',
    `${LEAST}admin.listen = "0.0.0.0:9464"`,
    'a.toml:3:16: [admin] listen = "0.0.0.0:9464" is not loopback: give it a token, or listen on 127.0.0.1',
  ],
  [
    'a token that can be guessed',
    `${LEAST}admin.listen = "[::]:9464"\nadmin.token = "secret"`,
    /^a\.toml:4:15: \[admin\] token = "secret" is not allowed; allowed is at least 16 characters/,
  ],
];

/** And in JSON. */
const FAULTY_JSON: [string, string, string | RegExp][] = [
  ['not JSON', '{\n "tcp": {},\n}', /^a\.json:3:1: not JSON: property name expected/],
  ['a comment', '{ // no\n}', /^a\.json:1:3: not JSON: invalid comment token/],
  ['no object', '[]', /^a\.json:1:1: not a configuration: it has to be one JSON object/],
  ['nothing', '', /^a\.json:1:1: not JSON: value expected/],
  [
    'a key twice in JSON',
    '{"tcp": {}, "tcp": {}}',
    "a.json:1:13: not JSON: the key 'tcp' is there twice",
  ],
  [
    'a table misspelled in JSON',
    '{"dpdk": {"port": "loopback"},\n "tpc": {}}',
    /^a\.json:2:2: unknown table \[tpc\]: did you mean 'tcp'/,
  ],
  [
    'a wrong value in JSON',
    '{"network":\n  {"mtu": "1500"}}',
    /^a\.json:2:11: \[network\] mtu = "1500" is not allowed; allowed is a whole number/,
  ],
  [
    'something beside subsystems',
    '{"subsystems": [], "tcp": {}}',
    /^a\.json:1:20: 'tcp' beside 'subsystems': put it into the "config" of a subsystem "dpdk_net"/,
  ],
  ['subsystems that are no list', '{"subsystems": {}}', /^a\.json:1:16: .*has to be a list/],
  [
    'a subsystem without a name',
    '{"subsystems": [{"config": {}}]}',
    /^a\.json:1:17: a subsystem is \{ "subsystem": "dpdk_net"/,
  ],
  [
    'a list for a subsystem',
    '{"subsystems": [[null]]}',
    /^a\.json:1:17: a subsystem is \{ "subsystem": "dpdk_net"/,
  ],
  [
    'a list for a call',
    '{"subsystems": [{"subsystem": "tcp", "config": [[1]]}]}',
    /^a\.json:1:49: a call is \{ "method": "set" or "add"/,
  ],
  [
    'an unknown subsystem',
    '{"subsystems": [{"subsystem": "bdev", "config": {}}]}',
    /^a\.json:1:31: unknown table \[bdev\]; the tables are /,
  ],
  [
    'an unknown method',
    '{"subsystems": [{"subsystem": "tcp", "config": [{"method": "get"}]}]}',
    /^a\.json:1:49: a call is \{ "method": "set" or "add"/,
  ],
  [
    'adding to what is no list',
    '{"subsystems": [{"subsystem": "tcp", "config": [{"method": "set", "params": {}},\n{"method": "add", "params": {}}]}]}',
    "a.json:2:1: 'tcp' is no list of tables: nothing can be added to it",
  ],
];

const FAULTY_FLOWS: [string, string, string | RegExp][] = [
  [
    'a flow rule without a rule',
    `${LEAST}[[flows]]\non = "port0"`,
    /^a\.toml:3:1: \[\[flows\]\] 1 needs rule: PATTERN => ACTION/,
  ],
  [
    'a flow rule with an unknown word',
    `${LEAST}[[flows]]\nrule = "ipv4 tpc dst 80 => drop"`,
    /^a\.toml:4:8: \[\[flows\]\] 1: rule: a flow rule has no 'tpc' here; allowed is PATTERN => ACTION, such as "ipv4 src/,
  ],
  [
    'a flow rule that does nothing',
    `${LEAST}[[flows]]\nrule = "tcp dst 80"`,
    /^a\.toml:4:8: \[\[flows\]\] 1: rule: not a flow rule, 'PATTERN => ACTION': 'tcp dst 80';/,
  ],
  [
    'a flow rule of two families',
    `${LEAST}[[flows]]\nrule = "ipv4 src fd00::/64 => drop"`,
    /^a\.toml:4:8: \[\[flows\]\] 1: rule: fd00::\/64 is no IPv4 address;/,
  ],
  [
    'a number for a flow rule',
    `${LEAST}[[flows]]\nrule = 80`,
    /^a\.toml:4:8: \[\[flows\]\] 1: rule = 80 is not allowed; allowed is PATTERN => ACTION/,
  ],
  [
    'a flow rule for a queue that is not there',
    `${LEAST}queues.count = 2\n[[flows]]\nrule = "tcp => rss 0,2"`,
    'a.toml:5:8: [[flows]] 1: there is no queue 2: port port0 has the queues 0 to 1',
  ],
  [
    'a flow rule for another queue than the only one',
    `${LEAST}[[flows]]\nrule = "tcp => queue 1"`,
    'a.toml:4:8: [[flows]] 1: there is no queue 1: port port0 has only queue 0',
  ],
  [
    'a flow rule on a port that is not there',
    `${LEAST}[[flows]]\nrule = "tcp => drop"\non = "port7"`,
    'a.toml:5:6: [[flows]] 1: there is no port "port7"; there is port0',
  ],
  [
    'a flow rule without a device',
    'dpdk.port = "loopback"\n[[flows]]\nrule = "tcp => drop"',
    'a.toml:3:8: [[flows]] 1: flow rules are for what a device receives, and "loopback" is none',
  ],
  [
    'a group that is none',
    `${LEAST}network.join = ["239.1.2.3", "10.0.0.9"]`,
    'a.toml:3:30: [network] join 10.0.0.9: this is no group; they are 224.0.0.0/4 and ff00::/8',
  ],
];

for (const [what, text, expected] of [
  ...FAULTY,
  ...FAULTY_FLOWS,
  ...FAULTY_LISTS,
  ...FAULTY_ADMIN,
  ...FAULTY_JSON,
]) {
  test(`refuses: ${what}`, () => {
    const message = refusal(
      text,
      [],
      FAULTY_JSON.some(([name]) => name === what) ? 'json' : 'toml',
    );
    if (typeof expected === 'string') assert.equal(message, expected);
    else assert.match(message, expected);
  });
}

test('all faults are named at once, in the order of the lines', () => {
  const message = refusal(`${LEAST}[tcp]\nrx_bufer_size = 1\n[queues]\ncount = 0\nrx_desc = "x"`);
  assert.deepEqual(
    message.split('\n').map((line) => line.split(' ')[0]),
    ['a.toml:4:1:', 'a.toml:6:9:', 'a.toml:7:11:'],
  );
});

test('what overrides the file is named as it was given', () => {
  assert.match(
    refusal(LEAST, ['listeners.1.port=7']),
    /^--set listeners\.1\.port=7: there is no entry 1: 'listeners' has 0, counted from 0$/,
  );
  assert.match(
    refusal(`${LEAST}[[listeners]]\nport = 7`, ['listeners.__proto__.port=7']),
    /there is no entry __proto__/,
  );
  const environment = { DPDK_NET_NETWORK__MTOO: '9' };
  const document = readDocument(LEAST, 'a.toml', { environment });
  assert.throws(() => configOf(document, '.'), {
    name: 'ConfigError',
    message:
      /^environment DPDK_NET_NETWORK__MTOO=9: unknown key 'mtoo' in \[network\]: did you mean 'mtu'/,
  });
});

test('there are enough of them, and each says what would be right or where the fault is', () => {
  const all = [...FAULTY, ...FAULTY_FLOWS, ...FAULTY_LISTS, ...FAULTY_ADMIN, ...FAULTY_JSON];
  assert.ok(all.length >= 60, `${all.length}`);
  assert.equal(new Set(all.map(([what]) => what)).size, all.length);
});
