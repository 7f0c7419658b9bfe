/**
 * What the outside sees of a running process besides its control socket: the admin server, and
 * measurements sent to a collector. Nothing of both without the configuration's word.
 * @module
 */
import type { Config } from '../config/config.ts';
import { methodsOf, type ProcessOptions } from '../control/process.ts';
import type { StatsReport } from '../control/report.ts';
import { version } from '../control/version.ts';

/**
 * Opens what `config` asks for. Call it before Node's network is put on the stack: the admin server
 * is the kernel's. Rejects when a package is missing.
 */
export async function openSurfaces(config: Config, options: ProcessOptions): Promise<void> {
  const { admin, openTelemetry } = config;
  const methods = methodsOf(options);
  if (admin !== null) {
    const { openAdmin } = await import('./admin.ts');
    openAdmin(admin, methods);
  }
  if (openTelemetry !== null) {
    const { startOpenTelemetry } = await import('../metrics/opentelemetry.ts');
    const stats = async (): Promise<StatsReport[]> =>
      (await methods['stats']!({})) as StatsReport[];
    await startOpenTelemetry({ ...openTelemetry, version }, stats);
  }
}
