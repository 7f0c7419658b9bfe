/**
 * The HTTP server of the benchmark: an ordinary Node program, unmodified on our stack.
 * @module
 */
import http from 'node:http';

http
  .createServer((_request, response) => response.end('Hello, world!\n'))
  .listen({ port: 8080, backlog: 4096 }, () => console.log('listening'));
