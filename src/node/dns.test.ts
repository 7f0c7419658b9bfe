import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import dns, { lookup as namedLookup, Resolver } from 'node:dns';
import promises, { lookup as namedPromise } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import util from 'node:util';
import type { Answer } from 'dns-packet';
import { NameServer, zone } from '../dns/fixture.ts';
import { interceptDns } from './dns.ts';
import { assertNoLeaks, closed, contents, installLoopback, listening } from './fixture.ts';

/** Where a name server may be, on the stack's own loopback: the kernel knows nothing of it. */
const SERVER = '127.5.3.1';
const PATIENT_MS = 60_000;

const ZONE: Answer[] = [
  { type: 'A', name: 'www.example', ttl: 77, data: '127.8.8.8' },
  { type: 'A', name: 'www.example', ttl: 77, data: '127.8.8.9' },
  { type: 'AAAA', name: 'www.example', ttl: 66, data: '2001:db8::8' },
  { type: 'A', name: 'four.example', data: '127.4.4.4' },
  { type: 'CNAME', name: 'alias.example', data: 'www.example' },
  { type: 'MX', name: 'example', data: { preference: 10, exchange: 'mx.example' } },
  { type: 'NS', name: 'example', data: 'ns.example' },
  { type: 'TXT', name: 'example', data: ['one', 'two'] },
  {
    type: 'SOA',
    name: 'example',
    data: {
      mname: 'ns.example',
      rname: 'root.example',
      serial: 1,
      refresh: 2,
      retry: 3,
      expire: 4,
      minimum: 5,
    },
  },
  {
    type: 'SRV',
    name: '_x._tcp.example',
    data: { priority: 1, weight: 2, port: 3, target: 'four.example' },
  },
  {
    type: 'NAPTR',
    name: 'example',
    data: { order: 1, preference: 2, flags: 's', services: 'x', regexp: '', replacement: 'y.z' },
  },
  { type: 'CAA', name: 'example', data: { flags: 128, tag: 'issue', value: 'ca.example' } },
  { type: 'PTR', name: '8.8.8.127.in-addr.arpa', data: 'www.example' },
  {
    type: 'PTR',
    name: '8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    data: 'six.example',
  },
  { type: 'A', name: 'xn--bcher-kva.example', data: '127.7.7.7' },
];

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-dns-'));
const hostsFile = join(folder, 'hosts');
writeFileSync(hostsFile, '127.1.1.1 known known.example\n::1 localhost\n127.0.0.1 localhost\n');

const loopback = installLoopback();
const answers = zone(ZONE);
const server = await new NameServer((question, how) => {
  if (question.name === 'silent.example') return null;
  if (question.name === 'broken.example') return 2;
  return answers(question, how);
}).listen(SERVER);
const settings = {
  servers: [{ address: SERVER, port: server.port }],
  search: ['example'],
  ndots: 1,
  timeoutMs: PATIENT_MS,
  hostsFile,
};
interceptDns(loopback.engine, settings);

after(async () => {
  await server.close();
  await assertNoLeaks(loopback);
  rmSync(folder, { recursive: true });
});

interface Failure {
  readonly code: string;
  readonly syscall: string;
  readonly hostname: string;
  readonly errno: number | undefined;
  readonly message: string;
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => assert.fail('it found something'),
    (reason) => reason,
  );
  const { code, syscall, hostname, errno, message } = error;
  return { code, syscall, hostname, errno, message };
}

test('dns.lookup(): callback, promise, promisified; named imports too', async () => {
  const expected = { address: '127.4.4.4', family: 4 };
  assert.deepEqual(await promises.lookup('four.example'), expected);
  assert.deepEqual(await namedPromise('four.example'), expected);
  assert.deepEqual(await util.promisify(dns.lookup)('four.example'), expected);
  assert.deepEqual(await util.promisify(namedLookup)('four.example', 4), expected);
  const [address, family] = await new Promise<[string, number]>((resolve, reject) => {
    dns.lookup('four.example', (error, ...found) => (error ? reject(error) : resolve(found)));
  });
  assert.deepEqual({ address, family }, expected);
  assert.equal(dns.lookup.name, 'lookup');
});

test('dns.lookup(): all, family, order, hints', async () => {
  const families = async (options: dns.LookupAllOptions): Promise<number[]> =>
    (await promises.lookup('www.example', options)).map(({ family }) => family);
  // Only IPv4 can be reached from here, so it comes first.
  assert.deepEqual(await families({ all: true }), [4, 4, 6]);
  assert.deepEqual(await families({ all: true, family: 6 }), [6]);
  assert.deepEqual(await families({ all: true, verbatim: false }), [4, 4, 6]);
  const mapped = await promises.lookup('four.example', { family: 6, hints: dns.V4MAPPED });
  assert.deepEqual(mapped, { address: '::ffff:127.4.4.4', family: 6 });
  const both = { all: true, family: 6, hints: dns.V4MAPPED | dns.ALL } as const;
  assert.equal((await promises.lookup('www.example', both)).length, 3);
  const first = dns.getDefaultResultOrder();
  dns.setDefaultResultOrder('ipv4first');
  assert.equal((await promises.lookup('localhost')).family, 4);
  dns.setDefaultResultOrder(first);
  assert.equal((await promises.lookup('localhost')).family, 6);
});

test('dns.lookup(): hosts, search domains, aliases, international names', async () => {
  const addressOf = async (name: string): Promise<string> => (await promises.lookup(name)).address;
  assert.equal(await addressOf('known'), '127.1.1.1');
  assert.equal(await addressOf('four'), '127.4.4.4');
  assert.equal(await addressOf('alias.example.'), '127.8.8.8');
  assert.equal(await addressOf('bücher.example'), '127.7.7.7');
  assert.equal(await addressOf('127.1'), '127.0.0.1');
  assert.equal(await addressOf('::1'), '::1');
});

test("dns.lookup(): errors are Node's", async () => {
  assert.deepEqual(await failureOf(promises.lookup('none.example')), {
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
    hostname: 'none.example',
    errno: -3008,
    message: 'getaddrinfo ENOTFOUND none.example',
  });
  const broken = await failureOf(promises.lookup('broken.example'));
  assert.equal(broken.code, 'EAI_AGAIN');
  assert.equal(util.getSystemErrorName(broken.errno!), 'EAI_AGAIN');
  assert.equal((await failureOf(promises.lookup('x.invalid'))).code, 'ENOTFOUND');
  const wrong = { code: 'ERR_INVALID_ARG_VALUE' };
  assert.throws(() => dns.lookup('a.example', { family: 5 as 4 }, () => {}), wrong);
  assert.throws(() => dns.lookup('a.example', { hints: 1 << 20 }, () => {}), wrong);
  assert.throws(() => dns.lookup('a.example', 4, undefined as never), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
  assert.throws(() => dns.lookup({} as string, () => {}), { code: 'ERR_INVALID_ARG_TYPE' });
});

test("the resolver: every type in Node's shape", async () => {
  assert.deepEqual(await promises.resolve4('www.example'), ['127.8.8.8', '127.8.8.9']);
  assert.deepEqual(await promises.resolve6('www.example', { ttl: true }), [
    { address: '2001:db8::8', ttl: 66 },
  ]);
  assert.deepEqual(await promises.resolve('alias.example'), ['127.8.8.8', '127.8.8.9']);
  assert.deepEqual(await promises.resolveCname('alias.example'), ['www.example']);
  assert.deepEqual(await promises.resolveMx('example'), [{ exchange: 'mx.example', priority: 10 }]);
  assert.deepEqual(await promises.resolveNs('example'), ['ns.example']);
  assert.deepEqual(await promises.resolveTxt('example'), [['one', 'two']]);
  assert.deepEqual(await promises.resolveSoa('example'), {
    nsname: 'ns.example',
    hostmaster: 'root.example',
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minttl: 5,
  });
  assert.deepEqual(await promises.resolveSrv('_x._tcp.example'), [
    { name: 'four.example', port: 3, priority: 1, weight: 2 },
  ]);
  assert.deepEqual(await promises.resolveNaptr('example'), [
    { flags: 's', service: 'x', regexp: '', replacement: 'y.z', order: 1, preference: 2 },
  ]);
  assert.deepEqual(await promises.resolveCaa('example'), [{ critical: 128, issue: 'ca.example' }]);
  assert.deepEqual(await promises.resolvePtr('8.8.8.127.in-addr.arpa'), ['www.example']);
  const any = await promises.resolveAny('example');
  assert.deepEqual(any.map(({ type }) => type).sort(), ['CAA', 'MX', 'NAPTR', 'NS', 'SOA', 'TXT']);
});

test('reverse(): hosts, then PTR records of both families', async () => {
  assert.deepEqual(await promises.reverse('127.1.1.1'), ['known', 'known.example']);
  assert.deepEqual(await promises.reverse('127.8.8.8'), ['www.example']);
  assert.deepEqual(await promises.reverse('2001:db8::8'), ['six.example']);
  assert.equal((await failureOf(promises.reverse('127.9.9.9'))).code, 'ENOTFOUND');
  assert.throws(() => dns.reverse('bad', () => {}), { code: 'EINVAL', syscall: 'getHostByAddr' });
});

test('lookupService(): names where there are any, else numbers', async () => {
  const known = await promises.lookupService('127.1.1.1', 22);
  assert.deepEqual(known, { hostname: 'known', service: known.service });
  const unknown = await promises.lookupService('127.9.9.9', 54321);
  assert.deepEqual(unknown, { hostname: '127.9.9.9', service: '54321' });
  assert.deepEqual(await util.promisify(dns.lookupService)('127.9.9.9', 54321), unknown);
  assert.throws(() => dns.lookupService('bad', 1, () => {}), { code: 'ERR_INVALID_ARG_VALUE' });
});

test("the resolver: errors are Node's", async () => {
  assert.deepEqual(await failureOf(promises.resolve4('none.example')), {
    code: 'ENOTFOUND',
    syscall: 'queryA',
    hostname: 'none.example',
    errno: undefined,
    message: 'queryA ENOTFOUND none.example',
  });
  const codes = async (name: string): Promise<string> =>
    (await failureOf(promises.resolveMx(name))).code;
  assert.equal(await codes('four.example'), 'ENODATA');
  assert.equal(await codes('broken.example'), 'ESERVFAIL');
  assert.equal(await codes('a..b'), 'EBADNAME');
});

test('Resolver: servers, tries and timeouts of its own; cancel()', async () => {
  const resolver = new promises.Resolver({ timeout: 50, tries: 2 });
  assert.deepEqual(resolver.getServers(), [`${SERVER}:${server.port}`]);
  const other = await new NameServer(() => null).listen('127.5.3.2');
  resolver.setServers([`127.5.3.2:${other.port}`]);
  assert.deepEqual(resolver.getServers(), [`127.5.3.2:${other.port}`]);
  assert.equal((await failureOf(resolver.resolve4('www.example'))).code, 'ETIMEOUT');
  assert.equal(other.log.length, 2);
  const patient = new Resolver({ timeout: PATIENT_MS });
  patient.setServers([`127.5.3.2:${other.port}`]);
  const cancelled = new Promise<NodeJS.ErrnoException | null>((resolve) => {
    patient.resolve4('www.example', resolve);
  });
  patient.cancel();
  assert.equal((await cancelled)?.code, 'ECANCELLED');
  await other.close();
  assert.throws(() => resolver.setServers(['not an address']), { code: 'ERR_INVALID_IP_ADDRESS' });
});

test('setLocalAddress(): the questions come from there', async () => {
  const listener = dgram.createSocket('udp4').bind(0, '127.5.3.4');
  await once(listener, 'listening');
  const resolver = new Resolver({ timeout: PATIENT_MS, tries: 1 });
  resolver.setServers([`127.5.3.4:${listener.address().port}`]);
  resolver.setLocalAddress('127.5.3.5');
  resolver.resolve4('www.example', () => {});
  const [, from] = await once(listener, 'message');
  assert.equal(from.address, '127.5.3.5');
  resolver.cancel();
  listener.close();
});

test('dns.setServers() is for resolve(), as with Node, not for lookup()', async () => {
  const before = dns.getServers();
  const other = await new NameServer(
    zone([{ type: 'A', name: 'www.example', data: '127.6.6.6' }]),
  ).listen('127.5.3.6');
  dns.setServers([`127.5.3.6:${other.port}`]);
  assert.deepEqual(await promises.resolve4('www.example'), ['127.6.6.6']);
  assert.equal((await promises.lookup('www.example')).address, '127.8.8.8');
  dns.setServers(before);
  assert.deepEqual(await promises.resolve4('www.example'), ['127.8.8.8', '127.8.8.9']);
  await other.close();
});

test('net, http, fetch and dgram find their peers by name', async () => {
  const server = http.createServer((request, response) => response.end(request.headers.host));
  const port = await listening(server, '0.0.0.0');
  const page = await fetch(`http://four.example:${port}/`);
  assert.equal(await page.text(), `four.example:${port}`);
  // Two addresses of which one answers: Node tries both.
  const socket = net.connect({ port, host: 'www.example' });
  await once(socket, 'connect');
  assert.equal(socket.remoteAddress, '127.8.8.8');
  const ended = contents(socket);
  socket.end('GET / HTTP/1.0\r\nHost: x\r\n\r\n');
  assert.match(String(await ended), /x$/);
  server.closeAllConnections();
  await closed(server);
  const receiver = dgram.createSocket('udp4').bind(0);
  await once(receiver, 'listening');
  const sender = dgram.createSocket('udp4');
  sender.send('by name', receiver.address().port, 'four.example');
  const [message] = await once(receiver, 'message');
  assert.equal(String(message), 'by name');
  receiver.close();
  sender.close();
});
