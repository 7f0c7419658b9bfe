/**
 * The dashboard in a real browser: a program with two queues on a TAP device, 10,000 connections
 * of the kernel's to it with load and loss, and headless Chromium looking at it.
 *
 *     node tools/dashboard.mjs [--connections 10000] [--seconds 20] [--pictures docs/dashboard]
 *
 * It checks what a person would see: rates, lines for all connections, the keyboard, both themes,
 * nothing in the console, and what looking costs. Exit code 0 when all is well. It needs root, and
 * installs Debian's chromium where there is none: too much for every run of the tests. Build first.
 * @module
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { enterNamespace, ip } from '../dist/dpdk/test-namespace.js';
import { fail, find } from './house/command.mjs';
import { installSystemPackages } from './house/packages.mjs';
import { at } from './house/root.mjs';

const ADMIN = 9464;
const LOOKS_PER_SECOND = 5;
/** Of a core, for the process that is looked at. */
const MOST_SHARE = 0.05;
/** To ask whether the server is there, 50 ms apart. */
const MOST_TRIES = 600;
const PATIENCE_MS = 120_000;
const VIEW = { width: 1440, height: 1180 };
const CONFIG = `
dpdk = { vdev = "net_tap0,iface=dtap0", memory = "512MiB" }
network.ip = "10.77.0.2/16"
tap.host_ip = "10.77.0.1/16"
queues.count = 2
admin.listen = "127.0.0.1:${ADMIN}"
listeners = [{ service = "echo", port = 7, backlog = 4096 }]
`;

/** User and system seconds of a process so far. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** What a process takes of a core for some seconds. */
async function shareOf(pid, seconds) {
  const [before, from] = [cpuSeconds(pid), performance.now()];
  await delay(seconds * 1000);
  return (cpuSeconds(pid) - before) / ((performance.now() - from) / 1000);
}

async function startServer(folder) {
  writeFileSync(join(folder, 'dpdk-net.toml'), CONFIG);
  const options = { cwd: folder, stdio: ['ignore', 'inherit', 'pipe'] };
  const server = spawn(process.execPath, [at('lib/cli/main.js'), 'start'], options);
  server.stderr.setEncoding('utf8').on('data', (text) => process.stderr.write(text));
  for (let i = 0; i < MOST_TRIES; i++) {
    assert.equal(server.exitCode, null, 'the server has ended');
    const answer = await fetch(`http://127.0.0.1:${ADMIN}/api/queues`).catch(() => null);
    if (answer?.ok && (await answer.json()).length === 2) return server;
    await delay(50);
  }
  throw new Error('the server did not start');
}

async function startLoad(connections) {
  const args = [at('tools/dashboard/load.mjs'), '10.77.0.2', '7', `${connections}`];
  const load = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const [opened] = await once(load, 'message');
  console.log(`${opened} connections are open`);
  return load;
}

async function openBrowser() {
  if (find('chromium') === null) await installSystemPackages(['chromium']);
  const { chromium } = await import('playwright-core');
  return await chromium.launch({
    executablePath: find('chromium'),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars'],
  });
}

async function openPage(browser, colorScheme) {
  const page = await browser.newPage({ viewport: VIEW, colorScheme });
  // A machine that is busy with other things draws slowly.
  page.setDefaultTimeout(PATIENCE_MS);
  const problems = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.stack));
  const asked = { count: 0 };
  page.on('request', (request) => {
    assert.ok(request.url().startsWith(`http://127.0.0.1:${ADMIN}/`), request.url());
    if (request.url().includes('/api/board')) asked.count++;
  });
  await page.goto(`http://127.0.0.1:${ADMIN}/`);
  await page.waitForSelector('#status[data-state="live"]');
  return { page, problems, asked };
}

/** What a person does with the table, by the keyboard alone. */
async function useTable(page, connections) {
  await page.waitForFunction(
    (wanted) => Number(document.querySelector('#grid').getAttribute('aria-rowcount')) > wanted,
    connections,
  );
  await page.focus('#grid');
  await page.keyboard.press('End');
  await page.waitForFunction(() => {
    const [last] = [...document.querySelectorAll('#grid .line:not([hidden])')].slice(-1);
    return last?.classList.contains('active') && last.textContent.includes(':7');
  });
  const lines = await page.locator('#grid .line').count();
  assert.ok(lines < 60, `${lines} lines in the page for ${connections} connections`);
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() =>
    document.querySelector('#connection-2.active')?.textContent.includes(':7'),
  );
  await page.keyboard.press('Enter');
  await page.waitForSelector('#detail:not([hidden]) h3');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#detail', { state: 'hidden' });
  await page.getByRole('button', { name: 'Again' }).click();
  await page.waitForSelector('#grid [aria-sort="descending"]');
}

async function useFilter(page) {
  await page.keyboard.press('/');
  await page.keyboard.type('10.77.0.1/32');
  await page.waitForFunction(
    () => !document.querySelector('#connections-note').textContent.includes('10,0'),
  );
  await page.fill('#filter-address', 'no address');
  await page.waitForSelector('#filter-address[aria-invalid="true"]');
  await page.fill('#filter-address', '');
  await page.waitForSelector('#filter-address:not([aria-invalid])');
}

async function look(browser, colorScheme, { connections, seconds, pictures }) {
  const { page, problems, asked } = await openPage(browser, colorScheme);
  await delay(seconds * 1000);
  const rate = asked.count / seconds;
  assert.ok(rate > LOOKS_PER_SECOND * 0.5, `${rate} looks a second`);
  for (const [what, pattern] of [
    ['#about', /dpdk-net\.toml.*process \d+/],
    ['#spread', /port0 · 1/],
    ['#cores', /core|any/],
    ['#neighbors', /10\.77\.0\.1/],
    ['#drops', /udp_no_socket/],
    ['#heat-note', /p50 < /],
  ]) {
    assert.match(await page.textContent(what), pattern);
  }
  await page.screenshot({
    path: join(pictures, `${colorScheme}.png`),
    scale: 'css',
    fullPage: true,
  });
  await useTable(page, connections);
  await page.focus('#grid');
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#detail:not([hidden]) h3');
  await delay(seconds * 500);
  const table = page.locator('section:has(#grid)');
  await table.scrollIntoViewIfNeeded();
  await table.screenshot({ path: join(pictures, `connections-${colorScheme}.png`), scale: 'css' });
  await page.keyboard.press('Escape');
  await useFilter(page);
  await page.keyboard.press('Escape');
  await page.keyboard.press('p');
  await page.waitForSelector('#status[data-state="paused"]');
  assert.deepEqual(problems, []);
  await page.close();
  return rate;
}

/** What looking costs: without load, so that nothing else moves. */
async function costOf(browser, server, seconds) {
  const before = await shareOf(server.pid, seconds);
  const { page, asked } = await openPage(browser, 'dark');
  await delay(1000);
  asked.count = 0;
  const during = await shareOf(server.pid, seconds);
  await page.close();
  return { share: during - before, rate: asked.count / seconds };
}

async function main() {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '10000' },
      seconds: { type: 'string', default: '20' },
      pictures: { type: 'string' },
    },
  });
  const [connections, seconds] = [Number(values.connections), Number(values.seconds)];
  await enterNamespace();
  ip('link set lo up');
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-dashboard-'));
  const pictures = values.pictures === undefined ? folder : resolve(values.pictures);
  mkdirSync(pictures, { recursive: true });
  const children = [];
  process.once('exit', () => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const server = await startServer(folder);
  children.push(server);
  const load = await startLoad(connections);
  children.push(load);
  const browser = await openBrowser();
  for (const theme of ['dark', 'light']) {
    const rate = await look(browser, theme, { connections, seconds, pictures });
    console.log(`${theme}: ${rate.toFixed(1)} looks a second, nothing in the console`);
  }
  load.send('rest');
  await delay(1000);
  const { share, rate } = await costOf(browser, server, seconds);
  const cost = `${(100 * share).toFixed(1)} % of a core for ${rate.toFixed(1)} looks a second`;
  console.log(`${connections} connections: ${cost}`);
  await browser.close();
  server.kill('SIGTERM');
  assert.ok(share * (LOOKS_PER_SECOND / rate) <= MOST_SHARE, cost);
  process.exit(0);
}

main().catch(fail);
