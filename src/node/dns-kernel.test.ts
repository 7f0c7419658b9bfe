import assert from 'node:assert/strict';
import promises from 'node:dns/promises';
import { after, test } from 'node:test';
import type { Answer } from 'dns-packet';
import { NameServer, zone } from '../dns/fixture.ts';
import { interceptDns } from './dns.ts';
import { assertNoLeaks, installLoopback } from './fixture.ts';

const PATIENT_MS = 60_000;
const answers = zone([{ type: 'A', name: 'www.example', data: '127.8.8.8' } as Answer]);

// 127.0.0.1 is the kernel's, the rest of 127.0.0.0/8 the stack's.
const loopback = installLoopback(['127.0.0.1/32', '::1/128']);
/** How many sockets of the stack there were when a question came. */
const stackSockets: number[] = [];
const onKernel = await new NameServer((question, how) => {
  stackSockets.push(loopback.stack.counts().udpSockets);
  return answers(question, how);
}).listen('127.0.0.1');

after(async () => {
  await onKernel.close();
  await assertNoLeaks(loopback);
});

test("servers that are kernel routes are left to Node's own resolver", async () => {
  const resolver = new promises.Resolver({ timeout: PATIENT_MS });
  resolver.setServers([`127.0.0.1:${onKernel.port}`]);
  assert.deepEqual(await resolver.resolve4('www.example'), ['127.8.8.8']);
  await assert.rejects(resolver.reverse('127.8.8.8'), { code: 'ENOTFOUND' });
  assert.deepEqual(stackSockets, [0, 0]);
});

test('of mixed servers each is asked where it is', async () => {
  const onStack = await new NameServer(() => 2).listen('127.5.3.1');
  const resolver = new promises.Resolver({ timeout: PATIENT_MS, tries: 1 });
  resolver.setServers([`127.5.3.1:${onStack.port}`, `127.0.0.1:${onKernel.port}`]);
  assert.deepEqual(await resolver.resolve4('www.example'), ['127.8.8.8']);
  assert.deepEqual(onStack.log, ['udp A www.example']);
  await onStack.close();
});

test('a name of a kernel route is looked up by the C library', async () => {
  // Nobody is to be asked, so it does not matter that nobody answers.
  interceptDns(loopback.engine, { servers: [{ address: '127.5.3.9', port: 9 }] });
  const { address } = await promises.lookup('localhost', 4);
  assert.equal(address, '127.0.0.1');
});
