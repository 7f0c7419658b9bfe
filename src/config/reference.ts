/**
 * The reference of dpdk-net.toml, made from the schema: docs/configuration.md.
 * @module
 */
import { schema } from './schema.ts';
import type { Schema } from './schema-parts.ts';

const INTRODUCTION = `# Configuration

\`dpdk-net\` reads \`dpdk-net.toml\` in the current folder, or the file that \`--config\` names. Everything is
checked before anything starts; every fault is named with its line and column, and with what is
allowed. \`dpdk-net config check\` only checks, \`config print\` shows every value and where it comes from,
\`config schema\` is for editors (\`#:schema dpdk-net.schema.json\` as the first line of the file).

A variable of the environment overrides a value of the file: \`DPDK_NET_NETWORK__MTU=9000\`, and in a list
of tables \`DPDK_NET_LISTENERS__0__PORT=8080\`. \`--set network.mtu=9000\` or \`--set listeners.0.port=8080\` has
the last word.

A file that ends in \`.json\` is JSON: the same tables as objects, or SPDK's form, where a subsystem is
the whole configuration or one of its tables, and its content is an object or a list of calls:

    { "subsystems": [
      { "subsystem": "dpdk_net", "config": { "ports": [{ "device": "0000:01:00.0", "ip": "10.0.0.2/24" }] } },
      { "subsystem": "tcp", "config": [{ "method": "set", "params": { "no_delay": true } }] },
      { "subsystem": "listeners", "config": [{ "method": "add", "params": { "port": 7, "service": "echo" } }] }
    ] }

Needed are a device (\`dpdk.vdev\` or \`dpdk.port\`) and, unless that is "loopback", an address
(\`network.ip\`); or one or more of \`[[ports]]\`, which have both. Sizes are bytes or text such as "64KiB"; durations are text such as "200ms".

Generated from \`src/config/schema.ts\` by \`tools/gen-config.mjs\`.
`;

/** The whole page, as Markdown. */
export function renderReference(): string {
  const tables = Object.entries(schema.properties ?? {}).map(([name, table]) =>
    renderTable(name, table),
  );
  return `${INTRODUCTION}\n${tables.join('\n')}`;
}

function renderTable(name: string, table: Schema): string {
  const title = table.items === undefined ? `[${name}]` : `[[${name}]]`;
  const rows = Object.entries(table.properties ?? table.items?.properties ?? {}).map(
    ([key, { description, expects, default: standard }]) =>
      `| \`${key}\` | ${description} | ${expects} | ${renderDefault(standard)} |`,
  );
  return `## ${title}

${table.description}

| key | meaning | allowed | default |
|---|---|---|---|
${rows.join('\n')}
`;
}

function renderDefault(value: unknown): string {
  return value === undefined ? '' : `\`${JSON.stringify(value)}\``;
}
