import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { complete } from '../../tcp/options.ts';
import { packetText } from './notation.ts';
import { parse } from './parse.ts';
import { decodeOptions, optionBytes } from './segment-options.ts';
import { type OptionSpec, ScriptError, type TcpSpec, Unsupported } from './syntax.ts';
import { settingsOf, translate } from './sysctl.ts';

/** The action of a script's only event. */
const actionOf = (text: string) => parse(`0 ${text}`).events[0]!.action;

test('parse() reads all forms of time', () => {
  const times = ['0.1', '+.25', '+0', '*', '1~2', '+0.1~+0.2', '0.1...0.5', '+0...3'];
  const script = parse(times.map((time) => `${time} close(3) = 0`).join('\n'));
  const found = script.events.map(({ when: { base, from, to, until } }) => [base, from, to, until]);
  assert.deepEqual(found, [
    ['absolute', 100_000, 100_000, -1],
    ['relative', 250_000, 250_000, -1],
    ['relative', 0, 0, -1],
    ['any', 0, 0, -1],
    ['absolute', 1_000_000, 2_000_000, -1],
    ['relative', 100_000, 200_000, -1],
    ['absolute', 100_000, 100_000, 500_000],
    ['relative', 0, 0, 3_000_000],
  ]);
});

const PACKETS = [
  'S 0:0(0)',
  'SEWA 0:0(0)',
  'S. 0:0(0) ack 1 <TS val 1 ecr 2,mss 1460,sackOK,wscale 7>',
  'FP. 1:1001(1000) ack 1 win 257',
  'R 1:1(0)',
  '- 5:5(0)',
  'PU. 1:2(1) ack 1 urg 1',
  '. 4294967290:4(10) ack 1',
  '. 1:1(0) ack 1 <sack 1001:2001 3001:4001>',
  'S 0:0(0) <FO 0a1b2c3d>',
  'S 0:0(0) <FO>',
  '[ce] . 1:1(0) ack 1',
  '[tos 0x10, ttl 5] . 1:1(0) ack 1',
  '40000 > 80 S 0:0(0)',
];
for (const text of PACKETS) {
  test(`parse() reads and packetText() writes: > ${text}`, () => {
    const action = actionOf(`> ${text}`);
    assert.equal(action.kind, 'out');
    assert.equal(packetText(action.packet).replaceAll(', ', ','), text.replaceAll(', ', ','));
  });
}

test('parse() reads a digit among the flags as the ACE field', () => {
  const { packet } = actionOf('> S5. 0:0(0) ack 1') as { packet: TcpSpec };
  assert.equal(packetText(packet), 'SEA. 0:0(0) ack 1');
});

test('parse() reads datagrams and ICMP errors', () => {
  assert.deepEqual(actionOf('< udp 53 > 9000 (100)'), {
    kind: 'in',
    packet: {
      kind: 'udp',
      ip: { ecn: null, trafficClass: null, hops: null },
      ports: [53, 9000],
      length: 100,
    },
  });
  assert.deepEqual(actionOf('< icmp unreachable frag_needed mtu 1200 [1:1001(1000)]'), {
    kind: 'in',
    packet: {
      kind: 'icmp',
      ip: { ecn: null, trafficClass: null, hops: null },
      version: 4,
      type: 3,
      code: 4,
      mtu: 1200,
      quoted: { protocol: 'tcp', seq: 1, length: 1000 },
    },
  });
});

test('parse() reads calls with everything that arguments can be', () => {
  const action = actionOf(
    'sendmsg(3, {msg_name(...)=..., msg_iov(2)=[{..., 10}, {..., 20}], msg_flags=0}, ' +
      'MSG_DONTWAIT|MSG_NOSIGNAL) = -1 EPIPE (Broken pipe)',
  );
  assert.equal(action.kind, 'call');
  const any = { kind: 'any' };
  const vector = (number: number) => ({
    kind: 'record',
    fields: [
      { name: '', value: any },
      { name: '', value: { kind: 'number', number } },
    ],
  });
  assert.deepEqual(action.call, {
    name: 'sendmsg',
    args: [
      { kind: 'number', number: 3 },
      {
        kind: 'record',
        fields: [
          { name: 'msg_name', value: any },
          { name: 'msg_iov', value: { kind: 'list', items: [vector(10), vector(20)] } },
          { name: 'msg_flags', value: { kind: 'number', number: 0 } },
        ],
      },
      { kind: 'number', number: 0x4040 },
    ],
    result: -1,
    errno: 'EPIPE',
  });
});

test('parse() reads addresses in braces, comments of all kinds, flags and commands at the top', () => {
  const script = parse(`#!/usr/bin/env packetdrill
// One.
--mtu=1280 --ip_version=ipv6
/* two
   three */
\`sysctl -q net.ipv4.tcp_sack=0\`
0 bind(3, {sa_family = AF_INET, sin_port = htons(53), sin_addr = inet_addr("192.0.2.1")}, ...) = 0
`);
  assert.deepEqual(
    script.flags.map(({ name, value }) => [name, value]),
    [
      ['mtu', '1280'],
      ['ip_version', 'ipv6'],
    ],
  );
  assert.deepEqual(script.setup, [{ text: 'sysctl -q net.ipv4.tcp_sack=0', line: 6 }]);
  assert.equal(script.events[0]!.line, 7);
});

const WRONG: readonly [string, string, RegExp][] = [
  ['an unknown character', '0 close(3) = 0 §', /'§' is not packetdrill/],
  ['a length that does not fit', '0 > . 1:10(5)', /1:10 is not 5 bytes/],
  ['a packet in without a window', '0 < . 1:1(0) ack 1', /needs its 'win'/],
  ['an empty script', '// nothing\n', /without events/],
  ['a packet that blocks', '0...1 > . 1:1(0)', /only a call can block/],
  ['a missing result', '0 close(3)', /expected '=', found the end/],
  ['a time that is none', 'x close(3) = 0', /expected a time/],
];
for (const [what, source, message] of WRONG) {
  test(`parse() refuses ${what}`, () => {
    assert.throws(() => parse(source), { name: ScriptError.name, message });
  });
}

test('parse() tells the line, and what is only not supported', () => {
  const source = '0 close(3) = 0\n\n0 > ipv4 1.2.3.4 > 1.2.3.5: . 1:1(0)';
  assert.throws(
    () => parse(source),
    (error) => error instanceof Unsupported && error.line === 3,
  );
});

test('decodeOptions() reads back what optionBytes() wrote', () => {
  const number = fc.nat(0xffffffff);
  const hex = fc
    .uint8Array({ minLength: 4, maxLength: 8 })
    .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''));
  const plain = (name: string) => fc.constant({ name, numbers: [], text: '' });
  const option: fc.Arbitrary<OptionSpec> = fc.oneof(
    plain('nop'),
    plain('sackOK'),
    fc.record({
      name: fc.constant('mss'),
      numbers: fc.tuple(fc.nat(65535)),
      text: fc.constant(''),
    }),
    fc.record({
      name: fc.constant('TS'),
      numbers: fc.tuple(number, number),
      text: fc.constant(''),
    }),
    fc.record({
      name: fc.constant('sack'),
      numbers: fc.tuple(number, number),
      text: fc.constant(''),
    }),
    fc.record({ name: fc.constant('FO'), numbers: fc.constant([]), text: hex }),
    fc.record({ name: fc.constant('FOEXP'), numbers: fc.constant([]), text: hex }),
  );
  fc.assert(
    fc.property(fc.array(option, { maxLength: 4 }), (options) => {
      const bytes = optionBytes(options);
      assert.deepEqual(
        decodeOptions(bytes),
        options.map((option) => ({ ...option })),
      );
    }),
  );
});

test('translate() finds settings in all ways that scripts write them, and reports the rest', () => {
  const { tcp, notes } = translate([
    'sysctl -q net.ipv4.tcp_sack=0 && sysctl -w net.ipv4.tcp_timestamps=0',
    './set.py /proc/sys/net/ipv4/tcp_fin_timeout=5',
    'echo "4096 16384 65536" > /proc/sys/net/ipv4/tcp_rmem',
    "sysctl -w net.ipv4.tcp_wmem='4096 16384 32768'",
    'sysctl -q net.ipv4.tcp_magic=1 net.ipv4.tcp_dsack=1',
    'tc qdisc add dev tun0 root fq\nsysctl -q net.ipv4.tcp_sack=0 # a comment',
    'sysctl -q net.ipv4.tcp_ecn=3 net.ipv4.tcp_fastopen=1 net.ipv4.tcp_syncookies=7',
    'true',
  ]);
  assert.deepEqual(tcp, {
    ecn: 'accurate',
    sack: false,
    timestamps: false,
    finWait2Ms: 5000,
    receiveBufferBytes: 65536,
    sendBufferBytes: 32768,
  });
  assert.deepEqual(notes, [
    'not set: net.ipv4.tcp_magic=1',
    'not run: `tc qdisc add dev tun0 root fq`',
    'not set: net.ipv4.tcp_syncookies=7',
  ]);
  assert.deepEqual(settingsOf('ip link set lo up'), []);
  // Each word of tcp_ecn is one that the stack takes.
  for (const value of [0, 1, 2, 3]) {
    complete(translate([`sysctl net.ipv4.tcp_ecn=${value}`]).tcp);
  }
});
