/**
 * Server-Sent Events: the time, ten times a second, to everybody who listens.
 *
 *     dpdk-net run events/server.js
 *     curl -N http://10.77.0.2:8080/
 */
import { createServer } from 'node:http';

const listeners = new Set();
let id = 0;

setInterval(() => {
  id++;
  for (const response of listeners) {
    response.write(`id: ${id}\ndata: ${new Date().toISOString()}\n\n`);
  }
}, 100);

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  listeners.add(response);
  response.on('close', () => listeners.delete(response));
});

server.listen(process.env.PORT ?? 8080, () => {
  console.log(`listening on port ${server.address().port}`);
});
