/**
 * A reverse proxy: what comes over DPDK is passed on to TARGET, which may be the kernel's.
 *
 *     TARGET=http://127.0.0.1:3000 dpdk-net run proxy/server.js
 */
import { Agent, createServer, request } from 'node:http';
import { pipeline } from 'node:stream';

const target = new URL(process.env.TARGET ?? 'http://127.0.0.1:3000');
const agent = new Agent({ keepAlive: true });

const server = createServer((incoming, outgoing) => {
  const forwarded = incoming.socket.remoteAddress;
  const onward = request(
    {
      agent,
      host: target.hostname,
      port: target.port,
      method: incoming.method,
      path: incoming.url,
      headers: { ...incoming.headers, 'x-forwarded-for': forwarded },
    },
    (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      pipeline(answer, outgoing, () => {});
    },
  );
  pipeline(incoming, onward, (error) => {
    if (!error || outgoing.headersSent) return;
    outgoing.writeHead(502).end(`${error.code}\n`);
  });
});

server.listen(process.env.PORT ?? 8080, () => {
  console.log(`listening on port ${server.address().port}`);
});
