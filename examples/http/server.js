/**
 * A web server as anybody would write it: nothing in it knows of DPDK.
 *
 *     node server.js                  on the kernel's network
 *     dpdk-net run server.js          on dpdk-net
 */
import { createServer } from 'node:http';

const PORT = Number(process.env.PORT ?? 8080);

const page = ({ remoteAddress, remotePort, localAddress }, served) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>dpdk-net</title>
<style>body { font: 18px/1.5 system-ui, sans-serif; max-width: 34em; margin: 4em auto }</style>
<h1>Hello from ${localAddress}</h1>
<p>This page was served by <code>node:http</code>. You are ${remoteAddress}, port ${remotePort},
and this is answer number ${served}.</p>
</html>
`;

let served = 0;

const server = createServer((request, response) => {
  if (request.url !== '/') {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('There is only one page: /\n');
    return;
  }
  served++;
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(page(request.socket, served));
});

server.listen(PORT, () => console.log(`listening on port ${server.address().port}`));
