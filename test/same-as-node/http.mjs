/**
 * Programs of http and fetch, mostly wrong ones.
 * @module
 */
import http from 'node:http';
import net from 'node:net';
import { closed, describe, once } from './story.mjs';

const LOOP = '127.0.0.1';

/** A watched server that answers with `listener`; [server, port]. */
async function serve(t, listener, options = {}) {
  const server = t.watch('server', http.createServer(options, listener), 'clientError close');
  server.listen(0, LOOP);
  await once(server, 'listening');
  return [server, server.address().port];
}

function request(t, who, options, body) {
  const events = 'socket response information upgrade abort timeout error close';
  const made = http.request({ host: LOOP, agent: false, ...options });
  for (const event of events.split(' ')) {
    made.on(event, (value) => {
      const what = value instanceof Error ? describe(value) : '';
      t.log(who, `${event} ${event === 'response' ? value.statusCode : what}`);
    });
  }
  made.on('response', (response) => response.resume());
  made.end(body);
  return made;
}

/** What a raw client hears when it sends `text`. */
async function raw(t, port, text) {
  const client = t.watch('client', net.connect(port, LOOP), 'connect end error close');
  client.setEncoding('latin1');
  let heard = '';
  client.on('data', (data) => {
    heard += data;
  });
  client.write(text);
  await closed(client);
  t.log('client', heard.replace(/Date: .*\r\n/, '').replaceAll('\r\n', '/'));
}

async function fetched(t, url, options) {
  try {
    const response = await fetch(url, options);
    t.log('fetch', `${response.status} ${await response.text()}`);
  } catch (error) {
    t.log('fetch', `${describe(error)} because ${describe(error.cause)}`);
  }
}

export const programs = {
  async 'a request to nobody'(t) {
    await closed(request(t, 'request', { port: await t.freePort() }));
  },
  async 'a request with impossible options'(t) {
    const wrong = [
      { method: 'GE T' },
      { path: '/a b' },
      { protocol: 'ftp:' },
      { headers: { 'a b': 1 } },
      { headers: { a: '\n' } },
      { agent: 7 },
      { hostname: 7 },
      { timeout: 'soon' },
      { insecureHTTPParser: 1 },
      { port: 65536 },
    ];
    for (const options of wrong) t.try('http', () => http.request({ host: LOOP, ...options }));
    t.try('http', () => http.get('no url'));
  },
  async 'a request destroyed before it is sent'(t) {
    const [server, port] = await serve(t, (_, response) => response.end());
    const made = request(t, 'request', { port });
    made.destroy();
    await closed(made);
    server.close();
  },
  async 'a request aborted by a signal'(t) {
    const [server, port] = await serve(t, () => {});
    const made = request(t, 'request', { port, signal: AbortSignal.timeout(50) });
    await closed(made);
    server.close();
    server.closeAllConnections();
  },
  async 'a response that never ends is cut off'(t) {
    const [server, port] = await serve(t, (message, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('four', () => message.socket.destroy());
    });
    const made = request(t, 'request', { port });
    const [response] = await once(made, 'response');
    response.on('aborted', () => t.log('response', 'aborted'));
    response.on('error', (error) => t.log('response', describe(error)));
    await closed(response);
    t.log('response', response.complete);
    server.close();
  },
  async 'no HTTP is answered with 400'(t) {
    const [server, port] = await serve(t, () => {});
    server.removeAllListeners('clientError');
    await raw(t, port, 'not http at all\r\n\r\n');
    server.close();
  },
  async 'the program is told of what is no HTTP'(t) {
    const [server, port] = await serve(t, () => {});
    server.removeAllListeners('clientError');
    server.on('clientError', (error, socket) => {
      t.log('server', `${error.code} ${error.message} ${error.bytesParsed}`);
      socket.end('HTTP/1.1 400 So\r\n\r\n');
    });
    await raw(t, port, 'GET / HTTP/1.1\r\nbad header\r\n\r\n');
    server.close();
    await closed(server);
  },
  async 'headers too large'(t) {
    const [server, port] = await serve(t, () => {}, { maxHeaderSize: 1024 });
    server.removeAllListeners('clientError');
    await raw(t, port, `GET / HTTP/1.1\r\nhost: a\r\na: ${'x'.repeat(5000)}\r\n\r\n`);
    server.close();
  },
  async 'a request without a host'(t) {
    const [server, port] = await serve(t, (_, response) => response.end('never'));
    await raw(t, port, 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n');
    server.close();
  },
  async 'requests in one segment are answered in order'(t) {
    const [server, port] = await serve(t, (message, response) => {
      response.sendDate = false;
      setTimeout(() => response.end(message.url), message.url === '/1' ? 20 : 0);
    });
    const one = 'GET /1 HTTP/1.1\r\nhost: a\r\n\r\n';
    await raw(
      t,
      port,
      `${one}${one.replace('/1', '/2').replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n')}`,
    );
    server.close();
  },
  async 'an upgrade that nobody takes'(t) {
    const [server, port] = await serve(t, (_, response) => response.end('plain'));
    const headers = { connection: 'upgrade', upgrade: 'other' };
    await closed(request(t, 'request', { port, headers }));
    server.close();
  },
  async 'an upgrade is taken'(t) {
    const [server, port] = await serve(t, () => {});
    server.on('upgrade', (message, socket, head) => {
      t.log('server', `upgrade ${message.headers.upgrade} ${head.length}`);
      socket.end('HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: other\r\n\r\nhello');
    });
    const headers = { connection: 'upgrade', upgrade: 'other' };
    const made = http.request({ host: LOOP, port, headers, agent: false }).end();
    const [response, socket, head] = await once(made, 'upgrade');
    t.log('client', `${response.statusCode} ${head}`);
    socket.resume();
    await closed(socket);
    server.close();
    await closed(server);
  },
  async 'answered twice, and after the end'(t) {
    const [server, port] = await serve(t, (_, response) => {
      response.end('x');
      t.try('response', () => response.setHeader('a', 'b'));
      t.try('response', () => response.writeHead(200));
      response.on('error', (error) => t.log('response', describe(error)));
      t.try('response', () => response.write('y'));
    });
    await closed(request(t, 'request', { port }));
    server.close();
  },
  async 'more than was promised'(t) {
    const [server, port] = await serve(t, (_, response) => {
      response.strictContentLength = true;
      response.writeHead(200, { 'content-length': 2 });
      t.try('response', () => response.write('four'));
      response.destroy();
    });
    await closed(request(t, 'request', { port }));
    server.close();
  },
  async 'all connections are closed'(t) {
    const [server, port] = await serve(t, () => server.closeAllConnections());
    await closed(request(t, 'request', { port }));
    server.close();
    await closed(server);
  },
  async 'fetch from nobody'(t) {
    await fetched(t, `http://${LOOP}:${await t.freePort()}/`);
  },
  async 'fetch with impossible arguments'(t) {
    await fetched(t, 'no url');
    await fetched(t, 'ftp://127.0.0.1/');
    await fetched(t, `http://${LOOP}:1/`);
    await fetched(t, `http://${LOOP}/`, { method: 'GET', body: 'x' });
    await fetched(t, `http://${LOOP}/`, { signal: AbortSignal.abort() });
  },
  async 'fetch of an answer that is cut off'(t) {
    const [server, port] = await serve(t, (message, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('four', () => message.socket.destroy());
    });
    await fetched(t, `http://${LOOP}:${port}/`);
    server.close();
  },
  async 'fetch of what is no HTTP'(t) {
    const server = await t.server('server');
    server.on('connection', (socket) => socket.end('no http\r\n\r\n'));
    await fetched(t, `http://${LOOP}:${server.address().port}/`);
  },
};
