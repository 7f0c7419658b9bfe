import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseFilter } from './frame-filter.ts';

/** Ethernet, IPv4 10.0.0.1 > 10.0.0.2, and a transport's ports. */
function frame(protocol: number, srcPort: number, dstPort: number): Uint8Array {
  const bytes = new Uint8Array(62);
  const view = new DataView(bytes.buffer);
  view.setUint16(12, 0x0800);
  bytes.set([0x45, 0, 0, 48, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 14);
  view.setUint16(34, srcPort);
  view.setUint16(36, dstPort);
  return bytes;
}

const ARP = new Uint8Array(60);
new DataView(ARP.buffer).setUint16(12, 0x0806);

const passes = (filter: string, bytes: Uint8Array): boolean =>
  parseFilter(filter)(new DataView(bytes.buffer), 0, bytes.length);

test('a filter lets through what it says, and nothing else', () => {
  const http = frame(6, 4000, 80);
  const dns = frame(17, 53, 5000);
  const cases: [string, boolean, boolean, boolean][] = [
    ['', true, true, true],
    ['tcp', true, false, false],
    ['udp or arp', false, true, true],
    ['not arp', true, true, false],
    ['port 80', true, false, false],
    ['port 53 or port 80', true, true, false],
    ['host 10.0.0.2', true, true, false],
    ['host 10.0.0.3', false, false, false],
    ['net 10.0.0.0/8 and not (tcp or icmp)', false, true, false],
    ['ip6', false, false, false],
    ['not not ip and udp', false, true, false],
  ];
  for (const [filter, ...expected] of cases) {
    assert.deepEqual(
      [http, dns, ARP].map((bytes) => passes(filter, bytes)),
      expected,
      filter,
    );
  }
});

test('what is wrong is named, with what should be there', () => {
  const refuses = (filter: string, message: RegExp): void =>
    assert.throws(() => parseFilter(filter), { message });
  refuses('tpc', /^filter: 'tpc' where one of these should be: arp, ip, .*, host, net, port/);
  refuses('tcp port 80', /'port' where one of these should be: and, or/);
  refuses('port', /the filter ends where one of these should be: a number/);
  refuses('port 70000', /'70000' where/);
  refuses('host nowhere', /'nowhere' where one of these should be: an address/);
  refuses('net 10.0.0', /'10\.0\.0' where one of these should be: a network/);
  refuses('(tcp', /the filter ends where one of these should be: \)/);
  refuses('tcp and', /the filter ends/);
  refuses('constructor', /'constructor' where/);
});

test('no filter and no frame make it do anything but answer or refuse', () => {
  const words = fc.constantFrom(
    'tcp',
    'and',
    'or',
    'not',
    '(',
    ')',
    'port',
    '80',
    'host',
    '::1',
    'net',
    '::/0',
  );
  const bytes = fc.uint8Array({ maxLength: 80 });
  fc.assert(
    fc.property(fc.array(words), bytes, (list, data) => {
      let filter: ReturnType<typeof parseFilter>;
      try {
        filter = parseFilter(list.join(' '));
      } catch (error) {
        assert.match((error as Error).message, /^filter: /);
        return;
      }
      const copy = Uint8Array.from(data);
      assert.equal(typeof filter(new DataView(copy.buffer), 0, copy.length), 'boolean');
    }),
  );
});
