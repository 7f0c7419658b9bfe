import assert from 'node:assert/strict';
import test from 'node:test';
import { formatRule, parseRule } from './text.ts';

const GOOD = [
  'ipv4 src 10.0.0.0/8 tcp dst 80 => queue 1',
  'vlan 5 udp dst 5000-5999 => rss 0,1,3',
  'eth src 02:00:00:00:00:09 dst ff:ff:ff:ff:ff:ff type 0x806 => drop',
  'ipv6 dst fd00::2/128 tcp src 1-65535 => mark 7 queue 2',
  'ipv4 icmp => count',
  'protocol 47 => mark 0',
  '=> count',
];

test('rules are read, and written as they were', () => {
  for (const text of GOOD) assert.equal(formatRule(parseRule(text)), text.trim());
});

test('an address alone is a prefix of all its bits', () => {
  const { pattern } = parseRule('ipv4 dst 10.0.0.1 => drop');
  assert.equal(pattern.dst!.length, 32);
  assert.equal(pattern.version, 4);
});

test('what is wrong is named', () => {
  for (const [text, message] of [
    ['tcp dst 80', /PATTERN => ACTION/],
    ['tcp => drop => drop', /PATTERN => ACTION/],
    ['tcp dst 80 =>', /without an action/],
    ['tcp dst 70000 => drop', /'70000'/],
    ['tcp dst 90-80 => drop', /90-80/],
    ['tcp dst => drop', /last word/],
    ['dst 80 => drop', /no 'dst' here/],
    ['ipv4 src fd00::1 => drop', /fd00::1\/128 is no IPv4/],
    ['ipv4 src 10.0.0.300 => drop', /10.0.0.300/],
    ['icmp dst 80 => drop', /only tcp and udp/],
    ['eth src 02:00 => drop', /02:00/],
    ['vlan 5000 => drop', /5000/],
    ['tcp => queue 128', /128/],
    ['tcp => rss 0,x', /'x'/],
    ['tcp => fly', /no 'fly'/],
    ['tcp => drop queue 1', /no queue and no mark/],
  ] as const) {
    assert.throws(() => parseRule(text), { code: 'EINVAL', message }, text);
  }
});
