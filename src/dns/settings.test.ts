import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { Hosts } from './hosts.ts';
import { dnsSettings, parseResolvConf } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-dns-'));
after(() => rmSync(folder, { recursive: true }));

test('resolv.conf: servers, domains and options; what is given goes before it', () => {
  const text = `# of the network
nameserver 10.0.0.1   ; the first
nameserver fd00::1
nameserver none
domain a.example
search b.example. c.example
options ndots:3 timeout:2 attempts:9 rotate edns0 timeout:x
`;
  assert.deepEqual(parseResolvConf(text), {
    servers: [
      { address: '10.0.0.1', port: 53 },
      { address: 'fd00::1', port: 53 },
    ],
    search: ['b.example', 'c.example'],
    ndots: 3,
    timeoutMs: 2000,
    attempts: 5,
  });
  const file = join(folder, 'resolv.conf');
  writeFileSync(file, text);
  const settings = dnsSettings({ search: ['d.example'] }, file);
  assert.deepEqual(settings.search, ['d.example']);
  assert.equal(settings.ndots, 3);
});

test('without resolv.conf the server is the one of this host', () => {
  const settings = dnsSettings({}, join(folder, 'none'));
  assert.deepEqual(settings.servers, [{ address: '127.0.0.1', port: 53 }]);
  assert.equal(settings.ndots, 1);
});

test('resolv.conf: no text throws', () => {
  fc.assert(fc.property(fc.string(), (text) => typeof parseResolvConf(text) === 'object'));
});

test('hosts: names without case or final dot, several addresses, changes are seen', () => {
  const file = join(folder, 'hosts');
  writeFileSync(file, '10.0.0.1 One one.example # first\nfd00::1\tone\n10.0.0.x bad\n');
  utimesSync(file, 1, 1);
  const hosts = new Hosts(file);
  assert.deepEqual(hosts.addressesOf('ONE.'), ['10.0.0.1', 'fd00::1']);
  assert.deepEqual(hosts.addressesOf('one.example'), ['10.0.0.1']);
  assert.deepEqual(hosts.namesOf('10.0.0.1'), ['One', 'one.example']);
  assert.equal(hosts.addressesOf('bad'), null);
  assert.equal(hosts.namesOf('10.0.0.2'), null);
  writeFileSync(file, '10.0.0.2 one\n');
  utimesSync(file, 2, 2);
  assert.deepEqual(hosts.addressesOf('one'), ['10.0.0.2']);
});

test('hosts: localhost and invalid are known without a file', () => {
  const hosts = new Hosts(join(folder, 'none'));
  for (const name of ['localhost', 'LOCALHOST.', 'any.localhost']) {
    assert.deepEqual(hosts.addressesOf(name), ['::1', '127.0.0.1']);
  }
  assert.deepEqual(hosts.addressesOf('nowhere.invalid'), []);
  assert.equal(hosts.addressesOf('mylocalhost'), null);
});
