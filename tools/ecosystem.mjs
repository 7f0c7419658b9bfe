/**
 * Programs of the ecosystem on the stack, against real servers and clients on the kernel's side:
 *
 *     node tools/ecosystem.mjs [word ...]
 *
 * Each line is one of them, with ok or what went wrong. Build first. It installs what it needs (as
 * root, by apt: PostgreSQL, nginx; by npm: tools/ecosystem/package.json), and does everything in a
 * network namespace of its own.
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as Packages from './house/packages.mjs';
import { at } from './house/root.mjs';

const IN_NAMESPACE = 'DPDK_NET_INTEROP_NAMESPACE';
const SYSTEM = { postgresql: 'a database', 'nginx-light': 'a web server', openssl: 'certificates' };
const HOME = at('tools/ecosystem');

if (process.env[IN_NAMESPACE] === undefined) {
  const missing = Packages.missingSystemPackages(SYSTEM) ?? [];
  if (missing.length > 0) await Packages.installSystemPackages(missing);
  for (const folder of [Packages.EXAMPLES, new URL('ecosystem/', import.meta.url)]) {
    const stale = Packages.npmStaleness(folder);
    if (stale !== null) await Packages.installNpmPackages(stale, folder);
  }
}
await import('../test/interop/kit/enter.mjs');
const { Program } = await import('../test/interop/kit/program.mjs');

const OURS = '10.77.0.2';
const THEIRS = '10.77.0.1';
const RUN = [process.execPath, 'lib/cli/main.js', 'run', '--config', 'examples/dpdk-net.toml'];
const PATIENCE_MS = 120_000;
const require = createRequire(join(HOME, 'package.json'));
const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-ecosystem-'));
chmodSync(folder, 0o755);
// Servers bind to it before the device, and so its address, is there.
execFileSync('ip', ['address', 'add', `${THEIRS}/32`, 'dev', 'lo']);

const KEY = join(folder, 'key.pem');
const CERT = join(folder, 'cert.pem');
const names = ['-subj', '/CN=localhost', '-addext', `subjectAltName=IP:${THEIRS}`];
const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
execFileSync('openssl', ['req', ...kind, ...names, '-days', '2', '-keyout', KEY, '-out', CERT], {
  stdio: 'ignore',
});

/** Runs a program on the stack to its end; throws unless it says `expected`. */
async function onStack(file, environment, expected) {
  const program = new Program([...RUN, file], environment);
  try {
    const { code, output } = await program.ended(PATIENCE_MS);
    if (code !== 0 || !expected.test(output)) throw new Error(`code ${code}:\n${output}`);
  } finally {
    program.kill();
  }
}

/** PostgreSQL's programs are not in the path, and do not run as root. */
async function postgres() {
  const [version] = readdirSync('/usr/lib/postgresql').sort((a, b) => b - a);
  const bin = `/usr/lib/postgresql/${version}/bin`;
  const data = join(folder, 'postgres');
  const asPostgres = (...command) => [
    'setpriv',
    '--reuid=postgres',
    '--regid=postgres',
    '--clear-groups',
    ...command,
  ];
  mkdirSync(data);
  spawnSync('chown', ['postgres', data]);
  const [setpriv, ...init] = asPostgres(`${bin}/initdb`, '-D', data, '-A', 'trust', '-U', 'notes');
  execFileSync(setpriv, init, { stdio: 'ignore', cwd: '/' });
  writeFileSync(join(data, 'pg_hba.conf'), 'host all all 10.77.0.0/24 trust\n');
  const options = ['-h', THEIRS, '-k', data, '-c', 'fsync=off'];
  const server = new Program(asPostgres(`${bin}/postgres`, '-D', data, ...options));
  try {
    await server.says(/ready to accept connections/);
    const DATABASE = `postgres://notes@${THEIRS}/postgres`;
    const expected = /sum 9900\nnotes first second third\nrows 20000\n/;
    await onStack('examples/postgres/notes.js', { DATABASE }, expected);
  } finally {
    server.signal('SIGINT');
    await server.ended();
  }
}

async function nginx() {
  writeFileSync(join(folder, 'index.html'), 'hello from nginx\n');
  writeFileSync(join(folder, 'large'), Buffer.alloc(10 << 20, 'large '));
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; user root; pid ${folder}/nginx.pid; error_log stderr;
    events {}
    http {
      access_log off;
      server {
        listen ${THEIRS}:8443 ssl;
        ssl_certificate ${CERT}; ssl_certificate_key ${KEY};
        root ${folder};
      }
    }`,
  );
  const server = new Program(['nginx', '-c', file]);
  try {
    const environment = { SERVER: `${THEIRS}:8443`, NODE_EXTRA_CA_CERTS: CERT };
    await onStack('tools/ecosystem/page.js', environment, /pages 50\nbytes 10485760\n/);
  } finally {
    server.kill();
    await server.ended();
  }
}

async function nodemailer() {
  const { SMTPServer } = require('smtp-server');
  let bytes = 0;
  const server = new SMTPServer({
    authOptional: true,
    key: readFileSync(KEY),
    cert: readFileSync(CERT),
    onData(stream, _session, done) {
      stream.on('data', (chunk) => {
        bytes += chunk.length;
      });
      stream.on('end', done);
    },
  });
  await new Promise((resolve) => {
    server.listen(2525, THEIRS, resolve);
  });
  try {
    const SERVER = `${THEIRS}:2525`;
    await onStack('tools/ecosystem/mail.js', { SERVER }, /accepted them@example\.org/);
    if (bytes < 120_000) throw new Error(`only ${bytes} bytes of the letter came`);
  } finally {
    server.close();
  }
}

async function mqtt() {
  const { Aedes } = require('aedes');
  const broker = await Aedes.createBroker();
  const { createServer } = await import('node:net');
  const server = createServer(broker.handle);
  await new Promise((resolve) => {
    server.listen(1883, THEIRS, resolve);
  });
  try {
    const expected = /news\/0=good news\/1=good news\/2=good/;
    await onStack('tools/ecosystem/mqtt.js', { SERVER: `${THEIRS}:1883` }, expected);
  } finally {
    server.close();
    broker.close();
  }
}

async function socketIo() {
  const { io } = require('socket.io-client');
  const program = new Program([...RUN, 'tools/ecosystem/socket-io.js']);
  try {
    const [, port] = await program.says(/listening on port (\d+)/);
    for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
      const client = io(`http://${OURS}:${port}`, { transports, forceNew: true });
      await client.timeout(PATIENCE_MS).emitWithAck('join', 'room');
      const heard = new Promise((resolve) => {
        client.once('said', resolve);
      });
      const bytes = Buffer.alloc(100_000, 'binary');
      client.emit('say', 'room', bytes);
      if (!bytes.equals(Buffer.from(await heard))) throw new Error(`${transports}: harmed`);
      client.close();
    }
  } finally {
    program.kill();
  }
}

const SHOWS = { postgres, nginx, nodemailer, mqtt, 'socket.io': socketIo };
const words = process.argv.slice(2);
let failures = 0;
for (const [name, show] of Object.entries(SHOWS)) {
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
  try {
    await show();
    console.log(`ok   ${name}`);
  } catch (error) {
    failures++;
    console.log(`fail ${name}: ${error.stack}`);
  }
}
rmSync(folder, { recursive: true });
process.exit(failures > 0 ? 1 : 0);
