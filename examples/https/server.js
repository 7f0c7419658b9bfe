/**
 * A web server over TLS. KEY and CERT name its files (see tls/server.js).
 *
 *     KEY=key.pem CERT=cert.pem dpdk-net run https/server.js
 *     curl -k https://10.77.0.2:8443/
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const key = readFileSync(process.env.KEY);
const cert = readFileSync(process.env.CERT);

const server = createServer({ key, cert }, (request, response) => {
  const { remoteAddress } = request.socket;
  const protocol = request.socket.getProtocol();
  response.end(`${request.method} ${request.url} from ${remoteAddress} over ${protocol}\n`);
});

server.listen(process.env.PORT ?? 8443, () => {
  console.log(`listening on port ${server.address().port}`);
});
