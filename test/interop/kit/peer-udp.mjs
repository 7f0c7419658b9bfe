/**
 * What a peer does over UDP, for Kernel.run(): these run in the other process.
 * @module
 */

/** Answers the first datagram with itself; the port it waits at. */
export async function echo({ host }, { dgram, once }) {
  const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  socket.once('message', (bytes, { port, address }) => {
    socket.send(bytes, port, address, () => socket.close());
  });
  return socket.address();
}

/** Sends where nobody listens: 'refused' when the answer is ECONNREFUSED. */
export async function refused({ host, port }, { dgram, once, sleep }) {
  const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.connect(port, host);
  await once(socket, 'connect');
  socket.send('?');
  const how = await Promise.race([
    once(socket, 'error').then(([error]) => error.code),
    sleep(100_000, 'no answer'),
  ]);
  socket.close();
  return how === 'ECONNREFUSED' ? 'refused' : how;
}

/** A datagram to each of `hosts`, so that the kernel asks for all of them. */
export async function sweep({ hosts }, { dgram, sleep }) {
  const sockets = { 4: dgram.createSocket('udp4'), 6: dgram.createSocket('udp6') };
  for (const [index, host] of hosts.entries()) {
    sockets[host.includes(':') ? 6 : 4].send('?', 9, host, () => {});
    // The kernel keeps few requests that are not answered yet.
    if (index % 50 === 49) await sleep(20);
  }
  await sleep(500);
  for (const socket of Object.values(sockets)) socket.close();
}

/** One datagram. */
export async function say({ host, port, text }, { dgram }) {
  const socket = dgram.createSocket('udp4');
  await new Promise((resolve) => socket.send(text, port, host, resolve));
  socket.close();
}
