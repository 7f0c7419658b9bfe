/**
 * What the programs of this folder work with.
 * @module
 */
import dgram from 'node:dgram';
import net from 'node:net';

/** What a program works with: it writes down, by socket, what happens. */
export class Story {
  lines = {};
  #open = [];

  log(who, line) {
    this.lines[who] ??= [];
    this.lines[who].push(withoutPorts(String(line)));
  }

  /** Writes down the events of an emitter, in the order in which they come. */
  watch(
    who,
    emitter,
    events = 'lookup connect ready end finish timeout drop listening error close',
  ) {
    this.#open.push(emitter);
    for (const event of events.split(' ')) {
      emitter.on(event, (...args) => this.log(who, [event, ...args.map(describe)].join(' ')));
    }
    return emitter;
  }

  /** Writes down what `call` throws or returns. */
  try(who, call) {
    try {
      const value = call();
      this.log(who, typeof value === 'object' || value === undefined ? 'done' : value);
    } catch (error) {
      this.log(who, `throws ${describe(error)}`);
    }
  }

  socket(who, options) {
    return this.watch(who, new net.Socket(options));
  }

  /** A server that listens on 127.0.0.1, or where `where` says. */
  async server(who, options = {}, where = { port: 0, host: '127.0.0.1' }) {
    const server = this.watch(who, net.createServer(options), 'drop error close');
    // A client that resets is none of a program's business that does not look at the peer.
    server.on('connection', (peer) => peer.on('error', () => {}));
    server.listen(where);
    await once(server, 'listening');
    return server;
  }

  /** Both ends of a connection, both watched: [client, its peer, the server]. */
  async pair(options = {}, serverOptions = {}) {
    const server = await this.server('server', serverOptions);
    const accepted = once(server, 'connection');
    const { port } = server.address();
    const client = this.watch('client', net.connect({ port, host: '127.0.0.1', ...options }));
    const [peer] = await accepted;
    this.watch('peer', peer);
    if (client.connecting) await once(client, 'connect');
    server.close();
    return [client, peer, server];
  }

  /** A port on which nobody listens. */
  async freePort() {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
  }

  dgram(who, options = 'udp4') {
    return this.watch(who, dgram.createSocket(options), 'listening connect message error close');
  }

  async bound(who, options = 'udp4', where = { port: 0, address: '127.0.0.1' }) {
    const socket = this.dgram(who, options);
    socket.bind(where);
    await once(socket, 'listening');
    return socket;
  }

  /** Gives what happened last time to be told, and clears away. */
  async end() {
    for (const each of this.#open) {
      if (each instanceof net.Socket) each.destroy();
      // Node tells 'close' once more of a server that is closed once more.
      else if (each instanceof net.Server) each.listening && each.close();
      else if (each instanceof dgram.Socket) quietly(() => each.close());
    }
    await settle();
  }
}

/** The arguments of the next such event, whatever else happens. */
export function once(emitter, event) {
  return new Promise((resolve) => {
    emitter.once(event, (...args) => resolve(args));
  });
}

export const closed = (emitter) => once(emitter, 'close');

/** Long enough for everything that one end does to have been told to the other. */
export async function settle() {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

function quietly(call) {
  try {
    call();
  } catch {
    // It is closed already.
  }
}

/** Errors with all that Node puts on them; buffers as text; the rest as it is. */
export function describe(value) {
  if (value instanceof Error) {
    const { name, code, syscall, address, port, message, errors } = value;
    const parts = [name, code, syscall, address, port === undefined ? port : 'PORT', message];
    const inner = errors === undefined ? '' : ` {${errors.map(describe).join('; ')}}`;
    return `[${parts.filter((part) => part !== undefined && part !== '').join('|')}]${inner}`;
  }
  if (value instanceof Uint8Array) return `'${value}'`;
  if (value instanceof net.Socket) return 'socket';
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .filter(([key]) => key !== 'port' && key !== 'localPort' && key !== 'remotePort')
    .map(([key, each]) => `${key}=${each}`)
    .join(' ');
}

/** Ports are others each time. */
function withoutPorts(line) {
  return line.replace(/\b\d{4,5}\b/g, 'PORT');
}
