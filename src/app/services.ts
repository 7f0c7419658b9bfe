/**
 * The services that a configuration alone can have: files over HTTP, and echo.
 *
 * An ordinary program of Node's: `dpdk-net start` runs it on the stack, once per queue, as
 * `dpdk-net run` would run any other. Its argument are the listeners as JSON.
 * @module
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import sirv from 'sirv';

/** One of [[listeners]], as it is posted. */
export interface ServiceListener {
  readonly name: string;
  readonly service: 'static' | 'echo';
  readonly port: number;
  /** '' for all of our addresses. */
  readonly address: string;
  readonly root: string;
  readonly backlog: number;
}

/** Opens them all; the process lives as long as one does. */
export function startServices(listeners: readonly ServiceListener[]): Server[] {
  return listeners.map((listener) => {
    const server = listener.service === 'static' ? fileServer(listener.root) : echoServer();
    const { port, address, backlog } = listener;
    return server.listen({ port, backlog, ...(address === '' ? {} : { host: address }) });
  });
}

function fileServer(root: string): Server {
  // `dev`: a file that changes while it is served is served as it is then.
  const serve = sirv(root, { dev: true, etag: true });
  return createHttpServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    serve(request, response, () => {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    });
  });
}

function echoServer(): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    // A peer that goes away in the middle is no news.
    socket.on('error', () => {});
    socket.pipe(socket);
  });
}
