import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { Address } from '../base/address.ts';
import * as Drop from '../base/drops.ts';
import { type AdminConfig, parseConfig } from '../config/config.ts';
import { methodsOf, reporterOf } from '../control/process.ts';
import { openStack } from '../runtime/open-stack.ts';
import { openAdmin } from './admin.ts';

const running = openStack(parseConfig('dpdk.port = "loopback"\nroutes.kernel = []', 'a.toml'));
after(() => running.close());
running.stack.tcp.listen({ port: 80 });
running.stack.drops[Drop.UDP_NO_SOCKET] = 3;
const methods = methodsOf({
  title: 'test',
  reporters: () => [reporterOf(running)],
  devices: () => [],
});

async function serve(token: string): Promise<number> {
  const config: AdminConfig = { address: Address.parse('127.0.0.1'), port: 0, token };
  const server = openAdmin(config, methods);
  after(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

interface Answered {
  readonly status: number;
  readonly type: string;
  readonly policy: string;
  readonly body: string;
}

async function get(port: number, path: string, headers = {}, method = 'GET'): Promise<Answered> {
  const sent = request({ host: '127.0.0.1', port, path, headers, method }).end();
  // Neither end holds the process.
  const held = setInterval(() => {}, 1000);
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += chunk;
  clearInterval(held);
  const { 'content-type': type = '', 'content-security-policy': policy = '' } = response.headers;
  return { status: response.statusCode!, type, policy: String(policy), body };
}

const open = await serve('');
const closed = await serve('a token nobody guesses');

test('/metrics has every counter with its meaning, by port, queue and worker', async () => {
  const { status, type, body } = await get(open, '/metrics');
  assert.equal(status, 200);
  assert.match(type, /^text\/plain; version=0\.0\.4/);
  const where = 'port="port0",queue="0",worker="0"';
  const lines = body.split('\n');
  assert.ok(lines.includes(`dpdk_net_drops_total{${where},reason="udp_no_socket"} 3`));
  assert.ok(lines.includes(`dpdk_net_listeners{${where}} 1`));
  assert.ok(lines.includes('# TYPE dpdk_net_tcp_retransmits_total counter'));
  assert.ok(lines.includes('# HELP dpdk_net_tcp_retransmits_total Segments sent again.'));
  const families = lines
    .filter((line) => line.startsWith('# TYPE'))
    .map((line) => line.split(' ')[2]);
  assert.equal(new Set(families).size, families.length);
});

test('/api answers as the control socket does; a wrong filter and a wrong page say so', async () => {
  const listeners = JSON.parse((await get(open, '/api/listeners')).body) as { tcpPort: number }[];
  assert.equal(listeners[0]!.tcpPort, 80);
  assert.equal((await get(open, '/api/connections?state=established&limit=5')).body, '[]\n');
  assert.equal((await get(open, '/api/connections?address=nowhere')).status, 400);
  for (const path of ['/nothing.js', '/api/nothing', '/api/constructor', '/stats']) {
    const { status, body } = await get(open, path);
    assert.equal(status, 404);
    assert.match(body, /"\/api\/queues"/);
  }
});

test('nothing can be changed, and no page of another site gets in', async () => {
  assert.equal((await get(open, '/api/stats', {}, 'POST')).status, 405);
  assert.equal((await get(open, '/api/stats', { host: 'evil.example' })).status, 403);
  assert.equal((await get(open, '/api/stats', { host: 'localhost:9464' })).status, 200);
});

test('with a token nobody gets in without it', async () => {
  const sending = (authorization: string): Promise<Answered> =>
    get(closed, '/metrics', { authorization });
  assert.equal((await get(closed, '/metrics')).status, 401);
  assert.equal((await sending('Bearer another')).status, 401);
  assert.equal((await sending('a token nobody guesses')).status, 401);
  assert.equal((await sending('Bearer a token nobody guesses')).status, 200);
});

test("the dashboard is everybody's of this machine, and may load nothing from elsewhere", async () => {
  const types = { '/': 'text/html', '/style.css': 'text/css', '/main.js': 'text/javascript' };
  for (const [path, type] of Object.entries(types)) {
    for (const port of [open, closed]) {
      const page = await get(port, path);
      assert.equal(page.status, 200);
      assert.ok(page.type.startsWith(type), page.type);
      assert.match(page.policy, /^default-src 'none'; script-src 'self'/);
    }
  }
  assert.equal((await get(open, '/', { host: 'evil.example' })).status, 403);
  assert.equal((await get(open, '/', {}, 'POST')).status, 405);
  assert.equal((await get(closed, '/api/board')).status, 401);
  for (const path of ['/../package.json', '/%2e%2e/package.json', '/main.ts', '/main.js.map']) {
    assert.equal((await get(open, path)).status, 404, path);
  }
});

test('what the dashboard asks for is one answer, also with a filter that is half written', async () => {
  const board = JSON.parse((await get(open, '/api/board?limit=5&slow=1&address=10.')).body);
  assert.equal(board.stats[0].counters.drops.udp_no_socket, 3);
  assert.match(board.page.refusal, /10\./);
  assert.equal(board.slow.queues.length, 1);
});
