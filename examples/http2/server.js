/**
 * An HTTP/2 server: many streams over one connection, HTTP/1.1 for who does not speak it. KEY and
 * CERT name its files (see tls/server.js).
 *
 *     KEY=key.pem CERT=cert.pem dpdk-net run http2/server.js
 *     curl -k --http2 https://10.77.0.2:8443/
 */
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';

const key = readFileSync(process.env.KEY);
const cert = readFileSync(process.env.CERT);

const server = createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end(`${request.url} over HTTP/${request.httpVersion}\n`);
});

server.listen(process.env.PORT ?? 8443, () => {
  console.log(`listening on port ${server.address().port}`);
});
