// An ordinary Node program: an echo server and a client. It knows nothing of dpdk-net.
//
//     node --import dpdk-net/register examples/net/echo.js
import { once } from 'node:events';
import net from 'node:net';

const server = net.createServer((socket) => socket.pipe(socket));
server.listen(0);
await once(server, 'listening');

const client = net.connect(server.address().port, '127.0.0.1');
client.end('hello over our own stack\n');
client.pipe(process.stdout);
await once(client, 'close');
server.close();
