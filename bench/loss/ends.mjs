/**
 * The ends of the transfers of kernel.mjs: our sockets as a source and as a sink, and what the kernel's
 * process does (for Kernel.run(): these functions see nothing of this file's scope).
 * @module
 */

const chunk = new Uint8Array(65_536);

/** A socket of ours that always has something to send. */
export class Source {
  constructor(socket) {
    this.socket = socket;
    this.onEvents();
  }

  onEvents() {
    if (this.socket.error !== '') return;
    while (this.socket.write(chunk) > 0);
  }
}

/** A socket of ours that reads what comes, and counts. */
export class Sink {
  constructor(socket, count) {
    this.socket = socket;
    this.count = count;
    this.onEvents();
  }

  onEvents() {
    while (this.socket.readable > 0) {
      const { length } = this.socket.peek();
      this.count.bytes += length;
      this.socket.consume(length);
    }
  }
}

/** What one connection learned of the path must not help the next one. */
export function forgetPaths(_, { childProcess }) {
  childProcess.execFileSync('sysctl', ['-qw', 'net.ipv4.tcp_no_metrics_save=1']);
}

export async function startSink({ host, port }, { net, once, kept }) {
  const sunk = { bytes: 0, sockets: [] };
  const server = net.createServer((socket) => {
    sunk.sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', ({ length }) => {
      sunk.bytes += length;
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  kept.set('sunk', sunk).set('server', server);
}

export function countSunk(_, { kept }) {
  return kept.get('sunk').bytes;
}

export async function connectSources({ host, port, flows }, { net, once, kept }) {
  const sockets = Array.from({ length: flows }, () => net.connect({ host, port }));
  kept.set('sources', sockets);
  for (const socket of sockets) if (socket.connecting) await once(socket, 'connect');
}

export function startSources(_, { kept }) {
  const chunk = Buffer.alloc(65_536);
  for (const socket of kept.get('sources')) {
    const fill = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('error', () => {});
    socket.on('drain', fill);
    fill();
  }
}

export function stopBoth(_, { kept }) {
  kept.get('server').close();
  for (const socket of [...kept.get('sunk').sockets, ...kept.get('sources')]) {
    socket.resetAndDestroy();
  }
}
