/**
 * Names over a TAP device: the program is on the stack, its name server on the kernel's side.
 */
import './kit/enter.mjs';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NameServer, zone } from '../../dist/dns/fixture.js';
import { sh } from './kit/kernel.mjs';
import { Program } from './kit/program.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const THEIRS = '10.77.0.1';
const RUN = [process.execPath, 'lib/cli/main.js', 'run', '--config', 'examples/dpdk-net.toml'];

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-names-'));
after(() => rmSync(folder, { recursive: true }));

/** The device is there only while a program runs, its address before: servers bind to it. */
sh(`ip address add ${THEIRS}/32 dev lo`);

test('a program finds its server by name, and a long answer over TCP', async () => {
  const web = createServer((request, response) => {
    response.setHeader('connection', 'close');
    response.end(`you asked ${request.headers.host}`);
  });
  await new Promise((resolve) => {
    web.listen(0, THEIRS, resolve);
  });
  const many = Array.from({ length: 60 }, (_, i) => ({
    type: 'TXT',
    name: 'long.example',
    data: `record ${i} ${'x'.repeat(40)}`,
  }));
  const server = await new NameServer(
    zone([{ type: 'A', name: 'web.example', data: THEIRS }, ...many]),
  ).listen(THEIRS, 53);
  const file = join(folder, 'program.mjs');
  writeFileSync(
    file,
    `import dns from 'node:dns/promises';
    const page = await fetch('http://web:${web.address().port}/');
    console.log(await page.text());
    console.log((await dns.resolveTxt('long.example')).length + ' records');
    console.log(await dns.lookup('none.example').catch((error) => error.message));`,
  );
  const names = ['--set', `dns.servers=["${THEIRS}"]`, '--set', 'dns.search=["example"]'];
  const program = new Program([...RUN, ...names, file]);
  try {
    const { code, output } = await program.ended(180_000);
    assert.equal(code, 0, output);
    assert.match(output, /you asked web:\d+\n60 records\ngetaddrinfo ENOTFOUND none\.example\n/);
    assert.ok(server.log.includes('tcp TXT long.example'), server.log.join('\n'));
  } finally {
    program.kill();
    web.close();
    await server.close();
  }
});

test("a child that inherits register leaves its parent's device alone", async () => {
  const child = join(folder, 'child.cjs');
  writeFileSync(
    child,
    `const server = require('net').createServer().listen(0, () => {
      console.log('child ' + server._handle.constructor.name);
      server.close();
    });`,
  );
  const parent = join(folder, 'parent.cjs');
  writeFileSync(
    parent,
    `const server = require('net').createServer().listen(0, () => {
      console.log('parent ' + server._handle.constructor.name);
      const child = require('child_process').spawn(process.execPath, [process.argv[2]], {
        stdio: 'inherit',
      });
      child.on('exit', (code) => {
        console.log('code ' + code);
        server.close();
      });
    });`,
  );
  const program = new Program([process.execPath, parent, child], {
    NODE_OPTIONS: `--import ${new URL('../../lib/node/register.js', import.meta.url)}`,
    DPDK_NET_CONFIG: join(ROOT, 'examples/dpdk-net.toml'),
  });
  try {
    const { code, output } = await program.ended(180_000);
    assert.equal(code, 0, output);
    for (const line of ['parent TcpHandle', 'child TCP', 'code 0']) {
      assert.ok(output.includes(`${line}\n`), output);
    }
    assert.match(output, /DPDK_NET_CHILD/);
  } finally {
    program.kill();
  }
});
