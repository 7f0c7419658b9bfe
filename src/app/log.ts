/**
 * The log of a configuration, and DPDK's own joined to it.
 * @module
 */
import { appendFileSync, writeSync } from 'node:fs';
import type { LogConfig } from '../config/config.ts';
import { addon } from '../dpdk/addon.ts';
import type { DeviceSummary } from '../runtime/open-device.ts';
import type { CloseReport } from '../runtime/open-stack.ts';
import { type Level, Logger } from './logger.ts';

const STDERR = 2;
const LOOPBACK = { name: 'loopback', driver: 'none', mac: '', mtu: 0, notices: [] };
/** DPDK's own log waits so long for being looked at. */
const LOOK_MS = 500;
/** DPDK's levels: emergency, alert, critical, error, warning, notice, info, debug. */
const LEVELS: readonly Exclude<Level, 'off'>[] = [
  'error',
  'error',
  'error',
  'error',
  'warn',
  'info',
  'debug',
  'debug',
];

/** Of a process; its end is told when close() is called. */
export interface ProcessLog {
  readonly logger: Logger;
  close(report: CloseReport): void;
}

/**
 * Tells what was opened, and from now on what DPDK logs and has logged. Null without a
 * configuration. `device` is null for a stack with nothing but its loopback.
 */
export function openLog(
  config: LogConfig | null,
  device: DeviceSummary | null,
  queues: number,
): ProcessLog | null {
  if (config === null) return null;
  const logger = loggerOf(config);
  const { name, driver, mac, mtu, notices } = device ?? LOOPBACK;
  logger.info('open', { device: name, driver, mac, mtu, queues });
  for (const notice of notices) logger.warn('notice', { notice });
  const look = (): void => {
    // Without a device there need be no DPDK either.
    if (device !== null) tellDpdk(logger, addon().ealLogTake());
  };
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return {
    logger,
    close: ({ open, reset, left, slots, ms }) => {
      clearInterval(timer);
      look();
      const { connections, timers } = left;
      logger.info('closed', { open, reset, ms: Math.round(ms), connections, timers, slots });
    },
  };
}

/** Writes at once: what is told last is what one wants to know of a process that ends. */
export function loggerOf({ level, format, file }: LogConfig): Logger {
  const write = (line: string): void => {
    if (file === '') writeSync(STDERR, line);
    else appendFileSync(file, line);
  };
  return new Logger({ level, format, write });
}

/** Each line with its level; the driver or library that it begins with is a field. */
export function tellDpdk(
  logger: Logger,
  { text, lost }: { readonly text: string; readonly lost: number },
): void {
  for (const line of text.split('\n')) {
    const level = LEVELS[Number(line[0]) - 1];
    if (level === undefined || line.length < 2) continue;
    const [, from = 'DPDK', says = ''] = line.slice(1).match(/^(?:(\w+): )?(.*)$/)!;
    logger[level]('dpdk', { from, says: says.trim() });
  }
  if (lost > 0) logger.warn('dpdk-lost', { lines: lost });
}
