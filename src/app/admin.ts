/**
 * The admin server: the dashboard, metrics and reports over HTTP, of the kernel's, read only.
 *
 * On loopback it is for programs of this machine; a page of a browser that another name was made
 * to point here (DNS rebinding) is turned away by its Host. With a token nobody gets in without.
 * @module
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AdminConfig } from '../config/config.ts';
import type { StatsReport } from '../control/report.ts';
import type { Methods } from '../control/server.ts';
import { metricsText } from '../metrics/exposition.ts';
import { PAGE_HEADERS, pageOf } from './pages.ts';

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Listens; call it before Node's network is put on the stack. It holds nothing alive. `methods`
 * are those of the control socket, each at /api/NAME with its parameters in the query.
 */
export function openAdmin(config: AdminConfig, methods: Methods): Server {
  const server = createServer((request, response) => {
    void respond(config, methods, request, response).catch((error: Error) => {
      send(response, 400, { error: error.message });
    });
  });
  server.on('error', (error) => {
    process.emitWarning(`no admin server: ${error.message}`, { code: 'DPDK_NET_ADMIN' });
  });
  server.listen(config.port, String(config.address));
  server.on('connection', (socket) => socket.unref());
  server.unref();
  return server;
}

async function respond(
  config: AdminConfig,
  methods: Methods,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://admin');
  const page = pageOf(url.pathname);
  const refusal = refusalOf(config, request, page !== null);
  if (refusal !== null) {
    send(response, refusal.status, { error: refusal.error }, refusal.headers);
    return;
  }
  if (page !== null) {
    response.writeHead(200, { 'content-type': page.type, ...PAGE_HEADERS }).end(page.body);
    return;
  }
  if (url.pathname === '/metrics') {
    const text = await metricsText((await methods['stats']!({})) as StatsReport[]);
    response.writeHead(200, { 'content-type': METRICS_TYPE }).end(text);
    return;
  }
  const name = url.pathname.replace(/^\/api\//, '');
  if (url.pathname.startsWith('/api/') && Object.hasOwn(methods, name)) {
    send(response, 200, await methods[name]!(paramsOf(url)));
    return;
  }
  const paths = ['/', '/metrics', ...Object.keys(methods).map((method) => `/api/${method}`)];
  send(response, 404, { error: 'there is no such page', pages: paths });
}

interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly headers?: Record<string, string>;
}

/** The files of the dashboard are everybody's: it is the page that asks for the token. */
function refusalOf(
  { token }: AdminConfig,
  request: IncomingMessage,
  isPage: boolean,
): Refusal | null {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, error: 'nothing can be changed here', headers: { allow: 'GET, HEAD' } };
  }
  if (token !== '') {
    if (isPage) return null;
    if (isToken(token, request.headers.authorization ?? '')) return null;
    const headers = { 'www-authenticate': 'Bearer' };
    return { status: 401, error: 'send the token: Authorization: Bearer TOKEN', headers };
  }
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (LOCAL_NAMES.includes(host)) return null;
  return { status: 403, error: 'ask for it by its address, such as http://127.0.0.1' };
}

/** In a time that says nothing about how much of it is right. */
function isToken(token: string, authorization: string): boolean {
  const wanted = Buffer.from(`Bearer ${token}`);
  const given = Buffer.from(authorization);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

function paramsOf(url: URL): Record<string, unknown> {
  return Object.fromEntries(
    [...url.searchParams].map(([name, value]) => [
      name,
      /^\d{1,15}$/.test(value) ? Number(value) : value,
    ]),
  );
}

function send(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent) return;
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...headers,
    })
    .end(`${JSON.stringify(value)}\n`);
}
