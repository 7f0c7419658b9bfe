/**
 * What the outside sees of a running process besides its control socket: the admin server, and
 * measurements sent to a collector. Nothing of both without the configuration's word.
 * @module
 */
import type { Config, OpenTelemetryConfig } from '../config/config.ts';
import { methodsOf, type ProcessOptions } from '../control/process.ts';
import type { StatsReport } from '../control/report.ts';
import type { Methods } from '../control/server.ts';
import { version } from '../control/version.ts';
import type { OpenTelemetry } from '../metrics/opentelemetry.ts';

/** What is open. */
export interface Surfaces {
  /** Sends the measurements once more, and closes the admin server with its connections. */
  close(): Promise<void>;
}

/**
 * Opens what `config` asks for. Call it before Node's network is put on the stack: the admin server
 * is the kernel's. Rejects when a package is missing.
 */
export async function openSurfaces(config: Config, options: ProcessOptions): Promise<Surfaces> {
  const { admin, openTelemetry } = config;
  const methods = methodsOf(options);
  // First what can fail.
  const telemetry = openTelemetry === null ? null : await sendTo(openTelemetry, methods);
  const server = admin === null ? null : (await import('./admin.ts')).openAdmin(admin, methods);
  return {
    close: async () => {
      server?.close();
      server?.closeAllConnections();
      await telemetry?.stop();
    },
  };
}

async function sendTo(options: OpenTelemetryConfig, methods: Methods): Promise<OpenTelemetry> {
  const { startOpenTelemetry } = await import('../metrics/opentelemetry.ts');
  const stats = async (): Promise<StatsReport[]> => (await methods['stats']!({})) as StatsReport[];
  return await startOpenTelemetry({ ...options, version }, stats);
}
