import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Address } from '../../base/address.ts';
import type { Decoded } from '../../testing/decode.ts';
import * as Build from '../../testing/packet.ts';
import { HOST, Host } from '../harness.test.ts';
import { EXCLUDE, INCLUDE, SourceFilter } from './filter.ts';

const GROUP = Address.parse('239.1.2.3');
const GROUP6 = Address.parse('ff15::7');
const ip = (text: string): Address => Address.parse(text);
const only = (...sources: string[]): SourceFilter => new SourceFilter(INCLUDE, sources.map(ip));
const allBut = (...sources: string[]): SourceFilter => new SourceFilter(EXCLUDE, sources.map(ip));

const TYPES = ['', 'IS_IN', 'IS_EX', 'TO_IN', 'TO_EX', 'ALLOW', 'BLOCK'];

/** A text for each record of a report: 'TO_EX 239.1.2.3 10.0.0.9'. */
function records({ ip: header, payload }: Decoded): string[] {
  const isV4 = header!.version === 4;
  // Of ICMP the payload begins behind the checksum.
  const body = payload.subarray(isV4 ? 8 : 4);
  const size = isV4 ? 4 : 16;
  const texts: string[] = [];
  for (let at = 0; at < body.length; ) {
    const count = (body[at + 2]! << 8) | body[at + 3]!;
    const address = (i: number): string => {
      const view = new DataView(body.buffer, body.byteOffset + at + 4 + i * size, size);
      const word = (offset: number): number => view.getInt32(offset);
      return isV4
        ? new Address(0, 0, 0xffff, word(0)).toString()
        : new Address(word(0), word(4), word(8), word(12)).toString();
    };
    const names = Array.from({ length: count + 1 }, (_, i) => address(i));
    texts.push([TYPES[body[at]!], ...names].join(' '));
    at += 4 + (count + 1) * size;
  }
  return texts;
}

const told = (frames: Decoded[]): string[][] => frames.map(records);

interface QueryFields {
  group?: string;
  sources?: string[];
  /** Tenths of a second. */
  code?: number;
  version?: 1 | 2 | 3;
  hops?: number;
  robustness?: number;
  src?: string;
}

/** A query of IGMP from the router 10.0.0.1. */
function igmp(fields: QueryFields = {}): Uint8Array {
  const { group = '0.0.0.0', sources = [], code = 10, version = 3, hops = 1 } = fields;
  const count = [sources.length >> 8, sources.length & 255];
  const rest = [fields.robustness ?? 2, 125, ...count, ...sources.flatMap((s) => [...v4(s)])];
  const body = [0x11, version === 1 ? 0 : code, 0, 0, ...v4(group), ...(version === 3 ? rest : [])];
  return frame(fields.src ?? '10.0.0.1', group === '0.0.0.0' ? '224.0.0.1' : group, hops, body);
}

function frame(src: string, dst: string, hops: number, body: number[]): Uint8Array {
  let sum = 0;
  for (let i = 0; i < body.length; i += 2) sum += (body[i]! << 8) | body[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  body[2] = (~sum >>> 8) & 255;
  body[3] = ~sum & 255;
  const [, b, c, d] = v4(dst);
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  const dstMac = `01:00:5e:${hex(b! & 0x7f)}:${hex(c!)}:${hex(d!)}`;
  const ipOptions = Uint8Array.of(0x94, 4, 0, 0);
  return Build.ip({ src, dst, dstMac, hops, ipOptions }, 2, Uint8Array.from(body));
}

const v4 = (text: string): number[] => text.split('.').map(Number);

/** A query of MLD from the router fe80::1. */
function mld(
  fields: { group?: string; version?: 1 | 2; hops?: number; src?: string } = {},
): Uint8Array {
  const { group = '::', version = 2, hops = 1, src = 'fe80::1' } = fields;
  const rest = version === 2 ? [2, 125, 0, 0] : [];
  const body = Uint8Array.of(0x03, 0xe8, 0, 0, ...Build.addressBytes(group), ...rest);
  const dst = { dst: 'ff02::1', dstMac: '33:33:00:00:00:01' };
  return Build.icmp({ src, ...dst, hops, type: 130, body });
}

test('joining and leaving is told at once and once more, to the routers that speak IGMPv3', () => {
  const host = new Host();
  const member = host.net.groups.join(GROUP, null);
  const joined = host.advance(1100);
  assert.deepEqual(told(joined), [['TO_EX 239.1.2.3'], ['TO_EX 239.1.2.3']]);
  const [report] = joined;
  assert.deepEqual([report?.ip?.src, report?.ip?.dst, report?.ip?.hops], [HOST, '224.0.0.22', 1]);
  assert.deepEqual([report?.ip?.protocol, report?.ip?.checksumGood], [2, true]);
  assert.deepEqual([report?.ip?.trafficClass, report?.ethernet.dst], [0xc0, '01:00:5e:00:00:16']);
  assert.equal(report?.ip?.totalLength, 24 + 8 + 8, 'the router alert option is there');
  host.net.groups.leave(member);
  assert.deepEqual(told(host.advance(1100)), [['TO_IN 239.1.2.3'], ['TO_IN 239.1.2.3']]);
  assert.deepEqual(host.advance(100_000), []);
});

test('IPv6 groups are told by MLDv2 from the link-local address, with a router alert', () => {
  const host = new Host();
  host.net.groups.join(GROUP6, null);
  const [report, again] = host.advance(1100);
  assert.deepEqual([records(report!), records(again!)], [['TO_EX ff15::7'], ['TO_EX ff15::7']]);
  assert.deepEqual([report?.icmp?.type, report?.icmp?.checksumGood], [143, true]);
  assert.deepEqual([report?.ip?.src, report?.ip?.dst], ['fe80::ff:fe00:2', 'ff02::16']);
  assert.deepEqual([report?.ip?.hops, report?.ip?.extensions], [1, [0]]);
});

test('only the first join and the last leave are news', () => {
  const host = new Host();
  const one = host.net.groups.join(GROUP, null);
  host.advance(1100);
  const two = host.net.groups.join(GROUP, null);
  host.net.groups.leave(one);
  assert.deepEqual(host.advance(1100), []);
  host.net.groups.leave(two);
  assert.equal(host.advance(1100).length, 2);
});

test('sources that come and go are told alone; a change of mode tells all', () => {
  const host = new Host();
  const { groups } = host.net;
  const member = groups.join(GROUP, null, only('10.9.0.1', '10.9.0.2'));
  assert.deepEqual(told(host.advance(0)), [['ALLOW 239.1.2.3 10.9.0.1 10.9.0.2']]);
  host.advance(1100);
  groups.change(member, only('10.9.0.2', '10.9.0.3'));
  assert.deepEqual(told(host.advance(0)), [
    ['ALLOW 239.1.2.3 10.9.0.3', 'BLOCK 239.1.2.3 10.9.0.1'],
  ]);
  host.advance(1100);
  groups.change(member, allBut('10.9.0.4'));
  assert.deepEqual(told(host.advance(0)), [['TO_EX 239.1.2.3 10.9.0.4']]);
  host.advance(1100);
  groups.change(member, allBut());
  assert.deepEqual(told(host.advance(0)), [['ALLOW 239.1.2.3 10.9.0.4']]);
});

test('an interface hears what any of its members wants', () => {
  const host = new Host();
  const { groups } = host.net;
  groups.join(GROUP, null, allBut('10.9.0.1', '10.9.0.2'));
  groups.join(GROUP, host.nic, allBut('10.9.0.2', '10.9.0.3'));
  groups.join(GROUP, null, only('10.9.0.9'));
  assert.deepEqual(told(host.advance(0)), [['TO_EX 239.1.2.3 10.9.0.2']]);
  host.advance(1100);
  groups.join(GROUP, null, only('10.9.0.2'));
  assert.deepEqual(told(host.advance(0)), [['ALLOW 239.1.2.3 10.9.0.2']]);
});

test('a general query is answered with the state of all groups within its time', () => {
  const host = new Host();
  host.net.groups.join(GROUP, null, only('10.9.0.1'));
  host.net.groups.join(ip('239.1.2.4'), null);
  host.advance(1100);
  assert.deepEqual(host.gets(igmp()), []);
  assert.deepEqual(told(host.advance(1010)), [['IS_IN 239.1.2.3 10.9.0.1', 'IS_EX 239.1.2.4']]);
  assert.deepEqual(host.gets(mld()), []);
  assert.deepEqual(told(host.advance(1010)), [['IS_EX ff02::1:ff00:2']]);
});

test('a query about a group, or about sources of it, is answered about these', () => {
  const host = new Host();
  host.net.groups.join(GROUP, null, only('10.9.0.1', '10.9.0.2'));
  host.net.groups.join(ip('239.1.2.4'), null, allBut('10.9.0.1'));
  host.advance(1100);
  const ask = (fields: QueryFields): string[][] => {
    host.gets(igmp(fields));
    return told(host.advance(1010));
  };
  assert.deepEqual(ask({ group: '239.1.2.3' }), [['IS_IN 239.1.2.3 10.9.0.1 10.9.0.2']]);
  const sources = ['10.9.0.1', '10.9.0.5'];
  assert.deepEqual(ask({ group: '239.1.2.3', sources }), [['IS_IN 239.1.2.3 10.9.0.1']]);
  assert.deepEqual(ask({ group: '239.1.2.4', sources }), [['IS_IN 239.1.2.4 10.9.0.5']]);
  assert.deepEqual(ask({ group: '239.1.2.3', sources: ['10.9.0.7'] }), []);
  assert.deepEqual(ask({ group: '239.9.9.9' }), []);
});

test('a flood of queries with many sources costs one answer', () => {
  const host = new Host();
  host.net.groups.join(GROUP, null);
  host.advance(1100);
  for (let i = 0; i < 100; i++) {
    const sources = Array.from({ length: 200 }, (_, k) => `10.${i}.0.${k}`);
    host.gets(igmp({ group: '239.1.2.3', sources, code: 100 }));
  }
  assert.deepEqual(told(host.advance(10_010)), [['IS_EX 239.1.2.3']]);
});

test('a router of IGMPv2 gets reports and goodbyes of its version, until it has been silent', () => {
  const host = new Host();
  const { groups } = host.net;
  const member = groups.join(GROUP, null);
  host.advance(1100);
  host.gets(igmp({ version: 2 }));
  const [answer, ...more] = host.advance(1010);
  assert.equal(more.length, 0);
  assert.deepEqual([answer?.payload[0], answer?.ip?.dst], [0x16, '239.1.2.3']);
  groups.leave(member);
  const [goodbye, ...others] = host.advance(10_000);
  assert.equal(others.length, 0);
  assert.deepEqual([goodbye?.payload[0], goodbye?.ip?.dst], [0x17, '224.0.0.2']);
  host.advance(260_000);
  groups.join(GROUP, null);
  assert.deepEqual(told(host.advance(0)), [['TO_EX 239.1.2.3']]);
});

test('with the old versions the report of another host is enough', () => {
  const host = new Host();
  host.net.groups.join(GROUP, null);
  host.advance(1100);
  host.gets(igmp({ version: 1 }));
  host.gets(frame('10.0.0.7', '239.1.2.3', 1, [0x12, 0, 0, 0, ...v4('239.1.2.3')]));
  assert.deepEqual(host.advance(10_010), []);
});

test('a router of MLDv1 gets its reports', () => {
  const host = new Host();
  const member = host.net.groups.join(GROUP6, null);
  host.advance(1100);
  host.gets(mld({ version: 1, group: 'ff15::7' }));
  const [answer] = host.advance(1010);
  assert.deepEqual([answer?.icmp?.type, answer?.ip?.dst], [131, 'ff15::7']);
  host.net.groups.leave(member);
  const [goodbye] = host.advance(0);
  assert.deepEqual([goodbye?.icmp?.type, goodbye?.ip?.dst], [132, 'ff02::2']);
});

test('a switch without an address may ask from 0.0.0.0', () => {
  const host = new Host();
  host.net.groups.join(GROUP, null);
  host.advance(1100);
  host.gets(igmp({ src: '0.0.0.0' }));
  assert.equal(host.advance(1010).length, 1);
  host.gets(igmp({ src: '0.0.0.0', group: GROUP.toString() }));
  assert.equal(host.advance(1010).length, 1);
});

test('queries from behind a router, cut off, or about no group are dropped', () => {
  const host = new Host();
  host.net.groups.join(GROUP, null);
  host.advance(1100);
  const long = [0x11, 10, 0, 0, ...v4('239.1.2.3'), 2, 125, 0, 9, ...v4('10.9.0.1')];
  const bad = [
    igmp({ hops: 2 }),
    frame('10.0.0.1', '224.0.0.1', 1, [0x11, 10, 0, 0, 10, 0]),
    frame('10.0.0.1', '239.1.2.3', 1, long),
    frame('10.0.0.1', '224.0.0.1', 1, [0x11, 10, 0, 0, ...v4('10.0.0.2')]),
    mld({ hops: 2 }),
    mld({ src: 'fd00::1' }),
  ];
  for (const each of bad) host.gets(each);
  assert.deepEqual(host.advance(10_010), []);
  assert.deepEqual(host.dropped(), { group_malformed: bad.length });
});

test('a report that does not fit one frame is split; a list of the unheard is cut', () => {
  const host = new Host({ mtu: 1280 });
  const many = Array.from({ length: 400 }, (_, i) => `10.${i >> 8}.1.${i & 255}`);
  host.net.groups.join(GROUP, null, only(...many));
  const parts = told(host.advance(0)).flat();
  const named = parts.flatMap((text) => text.split(' ').slice(2));
  assert.ok(parts.length > 1);
  assert.deepEqual(
    named,
    many.map((text) => ip(text).toString()),
  );
  const other = new Host({ mtu: 1280 });
  other.net.groups.join(GROUP, null, allBut(...many));
  assert.equal(told(other.advance(0)).flat().length, 1);
});

test('nothing is told of "all hosts", or of groups that stay in one host', () => {
  const host = new Host();
  host.net.groups.join(ip('224.0.0.1'), null);
  host.net.groups.join(ip('ff01::5'), null);
  assert.deepEqual(host.advance(10_000), []);
});

test('what the link had no room for is told when there is', () => {
  const host = new Host();
  const { ring } = host.nic;
  const slots = ring[2]!;
  ring[2] = 0;
  host.net.groups.join(GROUP, null);
  host.net.tick();
  ring[2] = slots;
  assert.deepEqual(told(host.advance(10)), [['TO_EX 239.1.2.3']]);
});
