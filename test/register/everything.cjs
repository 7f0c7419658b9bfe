// biome-ignore-all lint/style/useNodejsImportProtocol: both spellings have to work.
/**
 * Everything of Node that opens sockets, with modules that the caller got hold of in its own way:
 * a server and a client of each kind talk to each other. It knows nothing of the stack.
 */
const { createHash } = require('crypto');
const { readdirSync, readFileSync, readlinkSync } = require('fs');
const { once } = require('events');

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Sockets that the kernel knows of, standard input and output left out. */
function kernelSockets() {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return Number(fd) > 2 && readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

/** All that a stream says. */
async function text(stream) {
  let all = '';
  for await (const chunk of stream) all += chunk;
  return all;
}

async function listening(server) {
  server.listen(0);
  await once(server, 'listening');
  return server.address().port;
}

function identity() {
  return { key: readFileSync(process.env.KEY), cert: readFileSync(process.env.CERT) };
}

async function get(client, options) {
  const request = client.get({ host: 'localhost', agent: false, ...options });
  const [response] = await once(request, 'response');
  return text(response);
}

const CHECKS = {
  async net({ net }) {
    const server = net.createServer((socket) => socket.end('net'));
    const port = await listening(server);
    const answer = await text(net.connect(port, '127.0.0.1'));
    server.close();
    return answer;
  },
  async http({ http }) {
    const server = http.createServer((_request, response) => response.end('http'));
    const answer = await get(http, { port: await listening(server) });
    server.close();
    return answer;
  },
  async https({ https }) {
    const server = https.createServer(identity(), (_request, response) => response.end('https'));
    const port = await listening(server);
    const answer = await get(https, { port, ca: identity().cert });
    server.close();
    return answer;
  },
  async tls({ tls }) {
    const server = tls.createServer(identity(), (socket) => socket.end('tls'));
    const port = await listening(server);
    const client = tls.connect({ port, host: 'localhost', ca: identity().cert });
    const answer = await text(client);
    server.close();
    return answer;
  },
  async http2({ http2 }) {
    const server = http2.createSecureServer(identity());
    server.on('stream', (stream) => stream.end('http2'));
    const port = await listening(server);
    const session = http2.connect(`https://localhost:${port}`, { ca: identity().cert });
    const answer = await text(session.request({ ':path': '/' }));
    session.close();
    server.close();
    return answer;
  },
  async dgram({ dgram }) {
    const server = dgram.createSocket('udp4').bind(0);
    await once(server, 'listening');
    const client = dgram.createSocket('udp4');
    client.send('dgram', server.address().port, 'localhost');
    const [message] = await once(server, 'message');
    server.close();
    client.close();
    return String(message);
  },
  async dns({ dns, dgram }) {
    // A name server that knows one name: the question again, and behind it an A record.
    const server = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(server, 'listening');
    const record = Buffer.from('c00c00010001000000010004', 'hex');
    server.on('message', (query, { port, address }) => {
      const end = query.indexOf(0, 12) + 5;
      const header = Buffer.from(query.subarray(0, 12));
      header.writeUInt16BE(0x8180, 2);
      header.writeUInt16BE(1, 6);
      header.writeUInt16BE(0, 10);
      const parts = [header, query.subarray(12, end), record, Buffer.from([10, 1, 2, 3])];
      server.send(Buffer.concat(parts), port, address);
    });
    const resolver = new dns.promises.Resolver({ timeout: 60_000 });
    resolver.setServers([`127.0.0.1:${server.address().port}`]);
    const [address] = await resolver.resolve4('name.example');
    server.close();
    const known = await dns.promises.lookup('localhost', { family: 4 });
    return address === '10.1.2.3' && known.address === '127.0.0.1' ? 'dns' : address;
  },
  async fetch({ http }) {
    const server = http.createServer((_request, response) => {
      response.setHeader('connection', 'close');
      response.end('fetch');
    });
    const port = await listening(server);
    const answer = await (await fetch(`http://localhost:${port}/`)).text();
    server.close();
    return answer;
  },
  /** Node has it from 22 on. */
  async WebSocket({ http }) {
    if (typeof WebSocket !== 'function') return 'WebSocket';
    const server = http.createServer();
    server.on('upgrade', (request, socket) => {
      const key = request.headers['sec-websocket-key'] + WEBSOCKET_GUID;
      const accept = createHash('sha1').update(key).digest('base64');
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.write(Buffer.concat([Buffer.from([0x81, 9]), Buffer.from('WebSocket')]));
      socket.end(Buffer.from([0x88, 0]));
    });
    const port = await listening(server);
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    const answer = await new Promise((resolve, reject) => {
      client.onmessage = ({ data }) => resolve(data);
      client.onerror = () => reject(new Error('WebSocket failed'));
    });
    server.close();
    return answer;
  },
};

/** Does all of it; one line each, and how many sockets the kernel saw at the most. */
exports.everything = async function everything(modules) {
  const before = kernelSockets();
  let most = 0;
  // A listener is there while each of them runs.
  const watch = setInterval(() => {
    most = Math.max(most, kernelSockets() - before);
  }, 1);
  for (const [name, check] of Object.entries(CHECKS)) {
    const pending = check(modules);
    const answer = await pending;
    most = Math.max(most, kernelSockets() - before);
    console.log(answer === name ? `${name} ok` : `${name}: ${answer}`);
  }
  clearInterval(watch);
  console.log(`${most} sockets of the kernel`);
};
