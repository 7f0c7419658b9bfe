/**
 * A TLS server that says everything back. KEY and CERT name its files:
 *
 *     openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out cert.pem
 *     KEY=key.pem CERT=cert.pem dpdk-net run tls/server.js
 *     openssl s_client -connect 10.77.0.2:8443
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';

const key = readFileSync(process.env.KEY);
const cert = readFileSync(process.env.CERT);

const server = createServer({ key, cert }, (socket) => {
  socket.on('error', ({ message }) => console.log(message));
  socket.pipe(socket);
});

server.listen(process.env.PORT ?? 8443, () => {
  console.log(`listening on port ${server.address().port}`);
});
