/**
 * What a peer does over TCP, for Kernel.run(): these run in the other process.
 * @module
 */

/** Listens on `port`; what connects waits there for sink(). */
export async function listen({ host, port }, { net, once, kept }) {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(port, host);
  await once(server, 'listening');
  kept.set(port, { server, first: once(server, 'connection') });
}

/** Reads all that the first connection to `port` sends: how many bytes, and their SHA-256. */
export async function sink({ port }, { createHash, kept }) {
  const { server, first } = kept.get(port);
  const [socket] = await first;
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of socket) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  socket.end();
  server.close();
  return { bytes, sha256: hash.digest('hex') };
}

/** Connects, sends `bytes` of the pattern, FIN, and waits for the other's. */
export async function source({ host, port, bytes }, { net, once, Pattern }) {
  const socket = net.connect({ host, port, allowHalfOpen: true });
  await once(socket, 'connect');
  const pattern = new Pattern();
  for (let left = bytes; left > 0; ) {
    const piece = pattern.next(left);
    left -= piece.length;
    if (!socket.write(piece)) await once(socket, 'drain');
  }
  socket.end();
  socket.resume();
  if (!socket.readableEnded) await once(socket, 'end');
  return { sent: socket.bytesWritten };
}

/** Waits for the connection that listen() announced; the calls below are about it. */
export async function keepAccepted({ port }, { kept }) {
  const { server, first } = kept.get(port);
  const [socket] = await first;
  server.close();
  kept.set('socket', socket);
  socket.on('error', ({ code }) => kept.set('error', code));
  kept.delete('error');
}

/** Connects; the calls below are about this connection. */
export async function keepConnected({ host, port }, { net, once, kept }) {
  const socket = net.connect({ host, port, allowHalfOpen: true });
  await once(socket, 'connect');
  kept.set('socket', socket);
  socket.on('error', ({ code }) => kept.set('error', code));
  kept.delete('error');
}

/** Everything up to the FIN, as text. */
export async function readAll(_, { kept, once }) {
  const socket = kept.get('socket');
  let text = '';
  socket.setEncoding('latin1').on('data', (piece) => {
    text += piece;
  });
  socket.resume();
  if (!socket.readableEnded) await once(socket, 'end');
  return text;
}

export async function write({ text, end }, { kept, once }) {
  const socket = kept.get('socket');
  if (text !== '') socket.write(text);
  if (!end) return;
  socket.end();
  if (!socket.writableFinished) await once(socket, 'finish');
}

export async function reset(_, { kept }) {
  kept.get('socket').resetAndDestroy();
}

/** The code of the error that ends the connection. */
export async function errorOf(_, { kept, once, sleep }) {
  const socket = kept.get('socket');
  socket.resume();
  if (!socket.closed) await Promise.race([once(socket, 'close').catch(() => {}), sleep(100_000)]);
  return kept.get('error') ?? 'no error';
}

/** Probes after a second of silence, then every second; two without an answer end it. */
export async function keepAlive({ seconds }, { childProcess, kept }) {
  const settings = ['net.ipv4.tcp_keepalive_intvl=1', 'net.ipv4.tcp_keepalive_probes=2'];
  childProcess.execFileSync('sysctl', ['-qw', ...settings]);
  kept.get('socket').setKeepAlive(true, seconds * 1000);
}

export async function sendPattern({ bytes }, { kept, once, Pattern }) {
  const socket = kept.get('socket');
  const pattern = new Pattern();
  for (let left = bytes; left > 0; ) {
    const piece = pattern.next(left);
    left -= piece.length;
    if (!socket.write(piece)) await once(socket, 'drain');
  }
  socket.end();
}

/** Everything up to the FIN: how many bytes, and their SHA-256. */
export async function digest(_, { createHash, kept, once }) {
  const socket = kept.get('socket');
  const hash = createHash('sha256');
  let bytes = 0;
  socket.on('data', (piece) => {
    hash.update(piece);
    bytes += piece.length;
  });
  socket.resume();
  await once(socket, 'end');
  return { bytes, sha256: hash.digest('hex') };
}

/** The same with a pause after every half megabyte. */
export async function slowDigest(_, { createHash, kept, once, sleep }) {
  const socket = kept.get('socket');
  const hash = createHash('sha256');
  let bytes = 0;
  let sincePause = 0;
  socket.on('data', async (piece) => {
    hash.update(piece);
    bytes += piece.length;
    sincePause += piece.length;
    if (sincePause < 500_000) return;
    sincePause = 0;
    socket.pause();
    await sleep(20);
    socket.resume();
  });
  socket.resume();
  await once(socket, 'end');
  return { bytes, sha256: hash.digest('hex') };
}

/** `count` connections that are all open before the first one asks; how many answers are right. */
export async function crowd({ host, port, count }, { net, once }) {
  const sockets = [];
  for (let i = 0; i < count; i++) sockets.push(net.connect(port, host));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const ask = async (socket, index) => {
    socket.end(`question ${index}`);
    let answer = '';
    for await (const piece of socket) answer += piece;
    return answer === `question ${index}`;
  };
  const answers = await Promise.all(sockets.map(ask));
  return { right: answers.filter(Boolean).length };
}

export async function echoServer({ host, port }, { net, once, kept }) {
  const server = net.createServer((socket) => socket.pipe(socket));
  server.listen({ port, host, backlog: 2000 });
  await once(server, 'listening');
  kept.set(port, { server });
}

export async function closeServer({ port }, { kept, once }) {
  const { server } = kept.get(port);
  server.close();
  await once(server, 'close');
}
