/**
 * The reference of dpdk-net.toml, made from the schema: docs/configuration.md.
 * @module
 */
import { schema } from './schema.ts';
import type { Schema } from './schema-parts.ts';

const INTRODUCTION = `# Configuration

\`dpdk-net run\` reads \`dpdk-net.toml\` in the current folder, or the file that \`--config\` names. \`--set
table.key=value\` overrides one value: \`--set network.mtu=9000\`. Everything is checked before anything
starts; every fault is named with its line and column, and with what is allowed.

Needed are a device (\`dpdk.vdev\` or \`dpdk.port\`) and, unless that is "loopback", an address
(\`network.ip\`). Sizes are bytes or text such as "64KiB"; durations are text such as "200ms".

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
  const rows = Object.entries(table.properties ?? {}).map(
    ([key, { description, expects, default: standard }]) =>
      `| \`${key}\` | ${description} | ${expects} | ${renderDefault(standard)} |`,
  );
  return `## [${name}]

${table.description}

| key | meaning | allowed | default |
|---|---|---|---|
${rows.join('\n')}
`;
}

function renderDefault(value: unknown): string {
  return value === undefined ? '' : `\`${JSON.stringify(value)}\``;
}
