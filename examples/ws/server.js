/**
 * A chat over WebSockets: everybody hears what anybody says.
 *
 *     dpdk-net run ws/server.js
 *     npx wscat -c ws://10.77.0.2:8080
 */
import { WebSocket, WebSocketServer } from 'ws';

const server = new WebSocketServer({ port: Number(process.env.PORT ?? 8080) });

server.on('connection', (socket, { socket: { remoteAddress } }) => {
  socket.send(`hello ${remoteAddress}`);
  socket.on('message', (message, isBinary) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(message, { binary: isBinary });
    }
  });
});

server.on('listening', () => console.log(`listening on port ${server.address().port}`));
