/**
 * An echo server in plain Node that reads nothing from its standard input: of several copies in one
 * process only one could.
 * @module
 */
import net from 'node:net';
import { say } from '../measure.mjs';
import { PORTS } from '../programs.mjs';

net
  .createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => socket.write(data));
  })
  .listen({ port: PORTS.echo, backlog: 4096 }, () => say({ ready: true }));
