// An ordinary Node program: a datagram and its answer. It knows nothing of dpdk-net.
//
//     node --import dpdk-net/register examples/dgram/ping.js
import dgram from 'node:dgram';
import { once } from 'node:events';

const server = dgram.createSocket('udp4');
server.on('message', (message, from) => server.send(`${message}? pong`, from.port, from.address));
server.bind(0);
await once(server, 'listening');

const client = dgram.createSocket('udp4');
client.send('ping', server.address().port, '127.0.0.1');
const [answer] = await once(client, 'message');
console.log(String(answer));
client.close();
server.close();
