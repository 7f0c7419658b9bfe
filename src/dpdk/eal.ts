/**
 * EAL, DPDK's environment: memory and devices of the process. One per process, for its life.
 * @module
 */
import { readFileSync } from 'node:fs';
import { addon, type EalState, type Lcore } from './addon.ts';
import { DpdkError, explained } from './dpdk-error.ts';

export interface EalOptions {
  /** Memory for packets and drivers; default 1024. Without hugepages it costs only what is used. */
  readonly memoryMb?: number;
  /** Default: when enough are free. */
  readonly hugepages?: boolean;
  /** PCI addresses to take over; without any the PCI bus is left alone. */
  readonly pci?: readonly string[];
  /** Names EAL's files; default 'dpdk-net-<pid>'. */
  readonly filePrefix?: string;
  /** DPDK's spelling ('info', 'debug', 'pmd.net.memif:debug'); default 'info'. */
  readonly logLevel?: string;
  /** Also write DPDK's log to stderr; it always goes into errors. */
  readonly logToStderr?: boolean;
  /** Further EAL arguments, as on a DPDK command line. */
  readonly args?: readonly string[];
}

const DEFAULT_MEMORY_MB = 1024;

export class Eal {
  static #current: Eal | null = null;
  /** The arguments EAL was started with. */
  readonly args: readonly string[];
  readonly #open = new Set<{ close(): void }>();
  #closed = false;

  private constructor(args: readonly string[]) {
    this.args = args;
  }

  /** The running EAL of this thread, null before init(). */
  static get current(): Eal | null {
    return Eal.#current;
  }

  /** Starts EAL. Throws DpdkError: EALREADY when this process has started it before. */
  static init(options: EalOptions = {}): Eal {
    const args = ealArguments(options);
    const native = addon();
    native.ealLogEcho(options.logToStderr ?? false);
    explained('EAL', () => native.ealInit(args));
    const eal = new Eal(args);
    Eal.#current = eal;
    process.once('exit', () => eal.close());
    return eal;
  }

  /** DPDK's version, memory mode and whether it runs. */
  static state(): EalState {
    return addon().ealState();
  }

  /**
   * Makes the calling worker known to DPDK: an lcore with its own cache in every pool, pinned to
   * `cpu` when one is given. Once per worker, at its start; given back when the worker ends, or
   * by unregisterThread(). Throws DpdkError: EINVAL for a processor that is not there.
   */
  static registerThread(options: { readonly cpu?: number } = {}): Lcore {
    return explained('worker', () => addon().registerThread({ cpu: options.cpu ?? -1 }));
  }

  /** The worker is no lcore any more, and runs where it ran before. Idempotent. */
  static unregisterThread(): void {
    addon().unregisterThread();
  }

  /** Whatever is open is closed before EAL is. */
  adopt(part: { close(): void }): void {
    this.#open.add(part);
  }

  release(part: { close(): void }): void {
    this.#open.delete(part);
  }

  /**
   * Closes all devices. EAL cannot start again in this process, and keeps its memory until the
   * process exits.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const part of this.#open) part.close();
    addon().ealCleanup();
    Eal.#current = null;
  }
}

/** The command line for EAL: private to this process, no files left behind, no pinning. */
export function ealArguments(options: EalOptions): string[] {
  const memoryMb = options.memoryMb ?? DEFAULT_MEMORY_MB;
  if (!Number.isInteger(memoryMb) || memoryMb < 64) {
    throw new DpdkError({
      code: 'EINVAL',
      operation: 'EAL',
      reason: `memoryMb is ${memoryMb}`,
      log: [],
      remedy: 'give a whole number of megabytes, 64 or more',
    });
  }
  const hugepages = options.hugepages ?? freeHugepagesMb() >= memoryMb;
  const pci = options.pci ?? [];
  return [
    ...(hugepages ? ['--in-memory', '--single-file-segments'] : ['--no-huge', '--no-shconf']),
    ...(pci.length === 0 ? ['--no-pci'] : pci.map((address) => `--allow=${address}`)),
    '-m',
    `${memoryMb}`,
    '--no-telemetry',
    ...(hugepages && pci.length > 0 ? [] : ['--iova-mode=va']),
    `--lcores=0@(${allowedCpus()})`,
    `--file-prefix=${options.filePrefix ?? `dpdk-net-${process.pid}`}`,
    `--log-level=${options.logLevel ?? 'info'}`,
    ...(options.args ?? []),
  ];
}

/** Megabytes in free hugepages of the default size. */
function freeHugepagesMb(): number {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const number = (name: string): number =>
    Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))?.[1] ?? 0);
  return (number('HugePages_Free') * number('Hugepagesize')) / 1024;
}

/** The CPUs this process may use, as '0-1,4'. */
function allowedCpus(): string {
  return (
    readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:\s+(\S+)/m)?.[1] ?? '0'
  );
}
