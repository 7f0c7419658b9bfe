import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startServices } from './services.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-services-'));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'public/sub'), { recursive: true });
writeFileSync(join(folder, 'public/index.html'), '<p>hello</p>');
writeFileSync(join(folder, 'public/sub/a.css'), 'p {}');
writeFileSync(join(folder, 'secret'), 'secret');

// The program is any runtime's: here over the kernel's sockets.
const common = { port: 0, address: '127.0.0.1', backlog: 10 };
const [files, echo] = startServices([
  { ...common, name: 'files', service: 'static', root: join(folder, 'public') },
  { ...common, name: 'echo', service: 'echo', root: '' },
]);
after(() => {
  files!.close();
  echo!.close();
});
await Promise.all([files, echo].map((server) => server!.listening || once(server!, 'listening')));
const portOf = (server: typeof files): number => (server!.address() as AddressInfo).port;
const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${portOf(files)}${path}`, {
    ...init,
    headers: { connection: 'close', ...init.headers },
  });

test('files have their type; a folder has its index; a change is seen', async () => {
  const index = await get('/');
  assert.equal(index.headers.get('content-type'), 'text/html;charset=utf-8');
  assert.equal(await index.text(), '<p>hello</p>');
  const css = await get('/sub/a.css');
  assert.match(css.headers.get('content-type')!, /^text\/css/);
  await css.text();
  writeFileSync(join(folder, 'public/index.html'), '<p>changed</p>');
  assert.equal(await (await get('/')).text(), '<p>changed</p>');
});

test('what is not there is 404; what lies outside is not there; another method is 405', async () => {
  for (const path of ['/nothing', '/../secret', '/%2e%2e/secret', '/..%2fsecret', '/%00']) {
    const response = await get(path);
    assert.equal(response.status, 404, path);
    assert.doesNotMatch(await response.text(), /secret/);
  }
  const post = await get('/', { method: 'POST' });
  assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  await post.text();
});

test('an ETag spares the second transfer; a part is a part', async () => {
  const first = await get('/sub/a.css');
  await first.text();
  const etag = first.headers.get('etag')!;
  const again = await get('/sub/a.css', { headers: { 'if-none-match': etag } });
  assert.deepEqual([again.status, await again.text()], [304, '']);
  const part = await get('/sub/a.css', { headers: { range: 'bytes=2-3' } });
  assert.deepEqual([part.status, await part.text()], [206, '{}']);
});

test('echo sends everything back, and ends when the peer has', async () => {
  const socket = connect(portOf(echo), '127.0.0.1');
  const sent = Buffer.alloc(300_000, 'echo');
  socket.end(sent);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  assert.ok(Buffer.concat(chunks).equals(sent));
});
