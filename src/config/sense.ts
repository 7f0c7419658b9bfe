/**
 * What a schema can not say: whether the values make sense together.
 * @module
 */
import { statSync } from 'node:fs';
import type { Config, ListenerConfig } from './config.ts';
import type { Problem } from './problems.ts';
import { checkPort, type PortPlace, type Report } from './sense-ports.ts';
import type { Document, Table } from './toml.ts';
import { placeOf } from './validate.ts';

const ONLY_PORT: PortPlace = {
  network: '/network',
  hostIp: '/tap/host_ip',
  title: '[network]',
  hostTitle: '[tap]',
};

/** Everything that is well formed and yet can not work. */
export function checkSense(config: Config, document: Document): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (pointer, message) => {
    problems.push({ place: placeOf(document, pointer), message });
  };
  checkDevices(config, document.root, report);
  for (const [index, port] of config.ports.entries()) {
    checkPort(port, placeOfPort(document, index), document, report);
  }
  const { tcp } = config;
  if (tcp.firstEphemeralPort > tcp.lastEphemeralPort) {
    report('/tcp/first_ephemeral_port', '[tcp] first_ephemeral_port is above last_ephemeral_port');
  }
  if (tcp.minRtoMs > tcp.maxRtoMs) report('/tcp/min_rto', '[tcp] min_rto is above max_rto');
  const buffers = tcp.receiveBufferBytes + tcp.sendBufferBytes;
  if (buffers > config.dpdk.memory) {
    report(
      '/tcp',
      '[tcp] buffers of one connection do not fit in [dpdk] memory: make them smaller or it larger',
    );
  }
  checkFlows(config, report);
  checkListeners(config, report);
  checkAdmin(config, document.root, report);
  checkOpenTelemetry(config, report);
  return problems;
}

function placeOfPort({ root }: Document, index: number): PortPlace {
  if (root['ports'] === undefined) return ONLY_PORT;
  const at = `/ports/${index}`;
  const title = `[[ports]] ${index + 1}:`;
  return {
    network: at,
    hostIp: `${at}/host_ip`,
    title,
    hostTitle: title,
  };
}

function checkDevices({ dpdk, ports }: Config, root: Table, report: Report): void {
  if (root['ports'] !== undefined) {
    checkListedPorts(ports, root, report);
    return;
  }
  if (dpdk.port !== '' && dpdk.vdev !== '') {
    report('/dpdk/vdev', '[dpdk] has both port and vdev: one device, please');
  }
  if (dpdk.port === '' && dpdk.vdev === '') {
    report(
      '/dpdk',
      '[dpdk] needs a device: port = "0000:01:00.0", vdev = "net_tap0,iface=dtap0" or port = "loopback"',
    );
  }
}

/** What [[ports]] say themselves can not be said a second time elsewhere. */
function checkListedPorts(ports: Config['ports'], root: Table, report: Report): void {
  if (ports.length === 0 || (root['ports'] as unknown[]).length === 0) {
    report('/ports', '[[ports]] is empty: give it a port with a device, or leave it out');
    return;
  }
  for (const [table, keys] of [
    ['dpdk', ['port', 'vdev']],
    ['network', ['ip', 'gateway', 'mtu', 'vlan', 'mac', 'join']],
    ['queues', ['count', 'rx_desc', 'tx_desc', 'gro']],
    ['tap', ['host_ip']],
  ] as const) {
    for (const key of keys) {
      if ((root[table] as Table | undefined)?.[key] === undefined) continue;
      report(
        `/${table}/${key}`,
        `[${table}] ${key} is beside [[ports]]: say it there, for each port`,
      );
    }
  }
  twice(
    ports.map(({ name }) => name),
    (name, index) =>
      report(`/ports/${index}/name`, `[[ports]] ${index + 1}: a second port called "${name}"`),
  );
  twice(
    ports.map(({ device }) => device.replace(/,.*/, '')),
    (name, index) =>
      report(
        `/ports/${index}/device`,
        `[[ports]] ${index + 1}: the device ${name} is taken by another port`,
      ),
  );
}

function checkFlows({ flows, ports }: Config, report: Report): void {
  for (const [index, { rule, on }] of flows.entries()) {
    const refuse = (key: string, why: string): void =>
      report(`/flows/${index}/${key}`, `[[flows]] ${index + 1}: ${why}`);
    const names = ports.map(({ name }) => name);
    if (on !== '' && !names.includes(on)) {
      refuse('on', `there is no port "${on}"; there is ${names.join(', ')}`);
    }
    for (const { name, device, queues } of ports) {
      if (on !== '' && on !== name) continue;
      const missing = rule.action.queues?.find((queue) => queue >= queues.count);
      if (device === 'loopback') {
        refuse('rule', 'flow rules are for what a device receives, and "loopback" is none');
      } else if (missing !== undefined) {
        const range = queues.count === 1 ? 'only queue 0' : `the queues 0 to ${queues.count - 1}`;
        refuse('rule', `there is no queue ${missing}: port ${name} has ${range}`);
      }
    }
  }
}

function checkListeners({ listeners, ports }: Config, report: Report): void {
  for (const [index, listener] of listeners.entries()) {
    const refuse = (key: string, why: string): void =>
      report(`/listeners/${index}/${key}`, `[[listeners]] ${index + 1}: ${why}`);
    checkRoot(listener, refuse);
    const names = ports.map(({ name }) => name);
    if (listener.on !== '' && !names.includes(listener.on)) {
      refuse('on', `there is no port "${listener.on}"; there is ${names.join(', ')}`);
    }
    const { address } = listener;
    const ours = ports.flatMap(({ network }) => network.addresses);
    if (
      address !== null &&
      !address.isLoopback &&
      !ours.some((prefix) => prefix.address.equals(address))
    ) {
      refuse('ip', `${address} is none of our addresses (${ours.join(', ') || 'there are none'})`);
    }
  }
  twice(
    listeners.map(({ name }) => name),
    (name, index) =>
      report(
        `/listeners/${index}/name`,
        `[[listeners]] ${index + 1}: a second listener called "${name}"; give it a name of its own`,
      ),
  );
  twice(
    listeners.map(({ port, address, on }) => `${address ?? 'every address'} port ${port}${on}`),
    (_, index) =>
      report(
        `/listeners/${index}/port`,
        `[[listeners]] ${index + 1}: port ${listeners[index]!.port} is taken by another listener`,
      ),
  );
}

function checkRoot(listener: ListenerConfig, refuse: (key: string, why: string) => void): void {
  const { service, root } = listener;
  if (service !== 'static') {
    if (root !== '') refuse('root', 'root is for service = "static"');
    return;
  }
  if (root === '') {
    refuse('service', 'a static service needs the folder to serve: root = "./public"');
  } else if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    refuse('root', `there is no folder ${root}`);
  }
}

function checkAdmin({ admin }: Config, root: Table, report: Report): void {
  const listen = (root['admin'] as Table | undefined)?.['listen'];
  if (listen === undefined) return;
  if (admin === null) {
    report(
      '/admin/listen',
      `[admin] listen = "${listen}" is not allowed; allowed is an address and a port such as "127.0.0.1:9464"`,
    );
  } else if (!admin.address.isLoopback && admin.token === '') {
    report(
      '/admin/listen',
      `[admin] listen = "${listen}" is not loopback: give it a token, or listen on 127.0.0.1`,
    );
  }
}

function checkOpenTelemetry({ openTelemetry }: Config, report: Report): void {
  if (openTelemetry === null || /^https?:$/.test(protocolOf(openTelemetry.url))) return;
  report(
    '/opentelemetry/url',
    `[opentelemetry] url = "${openTelemetry.url}" is not allowed; allowed is an http or https URL such as "http://127.0.0.1:4318/v1/metrics"`,
  );
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}

/** Tells of every value that was there before. */
function twice(values: readonly string[], tell: (value: string, index: number) => void): void {
  for (const [index, value] of values.entries()) {
    if (values.indexOf(value) < index) tell(value, index);
  }
}
