/**
 * A device with several queues: opened by one thread, each queue served by another.
 *
 * The thread that opens it gives each worker a ticket, a plain object that may be posted, and
 * the worker makes a stack of it with openQueue(). What the stacks share is on the ticket.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { Address } from '../base/address.ts';
import type { Config, ConfigSource } from '../config/config.ts';
import { LiveConfig } from '../config/reload.ts';
import { Eal, type LinkDescription, openLink, type Port, type Steering } from '../dpdk/index.ts';
import { STEER_ENTRIES } from '../link/layout.gen.ts';
import type { Homing } from '../net/homing.ts';
import { NeighborBoard, type NeighborBoardMemory } from '../net/neighbor/board.ts';
import { Relay, type RelayMemory } from '../net/relay.ts';
import { tuneCompiler } from './compiler.ts';
import { allowedCpus } from './cpus.ts';
import { clockOrigin, useOrigin } from './now.ts';
import { type DeviceSummary, type OpenDevice, openDevice } from './open-device.ts';
import { type RunningStack, stackOn, start, startLoopback } from './open-stack.ts';

/** All that another thread needs to serve a queue. */
export interface QueueTicket {
  readonly queue: number;
  /** How many there are. */
  readonly queues: number;
  readonly config: ConfigSource;
  /** What was read since; `config` when nothing was. */
  readonly latest: ConfigSource;
  readonly device: DeviceSummary | null;
  /** Null: no device; the worker gets a loopback of its own. */
  readonly link: LinkDescription | null;
  readonly board: NeighborBoardMemory;
  readonly relay: RelayMemory;
  /** The links of all queues, to wake their workers. */
  readonly links: readonly LinkDescription[];
  /** Of the clock that all queues share. */
  readonly origin: number;
  /** The processor to stay on, -1: any. */
  readonly cpu: number;
}

export class Queues {
  /** What holds now. */
  config: Config;
  readonly count: number;
  readonly device: DeviceSummary | null;
  /** What the configuration was made of at the start. */
  readonly source: ConfigSource;
  #latest: ConfigSource;
  readonly #device: OpenDevice | null;
  readonly #board: NeighborBoardMemory;
  readonly #relay: RelayMemory;
  /** A processor for each worker; none where they are too few, or nobody is to be pinned. */
  readonly #cpus: readonly number[];

  /** Opens the device. Throws as openDevice() does. */
  constructor(config: Config, source: ConfigSource) {
    tuneCompiler();
    const isLoopback = config.dpdk.port === 'loopback';
    this.#device = isLoopback ? null : openDevice(config, config.queues.count);
    this.source = source;
    this.#latest = source;
    this.config = config;
    this.count = this.#device?.port.links.length ?? config.queues.count;
    this.device = this.#device?.summary ?? null;
    this.#board = NeighborBoard.allocate(this.count, () => randomBytes(4).readInt32LE());
    this.#relay = Relay.allocate(this.count);
    const cpus = config.workers.pin ? allowedCpus() : [];
    this.#cpus = cpus.length < this.count ? [] : cpus;
  }

  /** The device under the name of its port; none with only a loopback. */
  get devices(): { name: string; port: Port }[] {
    const name = this.config.ports[0]!.name;
    return this.#device === null ? [] : [{ name, port: this.#device.port }];
  }

  /** For the worker that serves a queue. */
  ticket(queue: number): QueueTicket {
    const link = this.#device === null ? null : this.#device.port.links[queue]!.description;
    return {
      queue,
      queues: this.count,
      config: this.source,
      latest: this.#latest,
      device: this.device,
      link,
      board: this.#board,
      relay: this.#relay,
      links: this.#device?.port.links.map(({ description }) => description) ?? [],
      origin: clockOrigin(),
      cpu: this.#cpus[queue] ?? -1,
    };
  }

  /** The configuration was read again: for workers to come. */
  reload(config: Config, latest: ConfigSource): void {
    this.config = config;
    this.#latest = latest;
  }

  /** The worker of a queue has crashed: makes the queue ready for another. */
  renew(queue: number): void {
    this.#device?.port.reclaim(queue);
  }

  /** The worker of a queue has ended: its flows go to the queues that are left. */
  retire(queue: number, left: readonly number[]): void {
    const steering = this.#device?.port.steering ?? null;
    if (steering === null || left.length === 0) return;
    for (let entry = 0, next = 0; entry < STEER_ENTRIES; entry++) {
      if (steering.queueOfHash(entry) === queue)
        steering.assign(entry, left[next++ % left.length]!);
    }
  }

  /** Closes the device, when no worker uses it any more; returns the slots that did not come back. */
  close(): number {
    return this.#device?.close() ?? 0;
  }
}

/** In a worker: the configuration as it holds now, to be read again. */
export function liveConfigOf({ config, latest }: QueueTicket): LiveConfig {
  const live = new LiveConfig(config);
  if (latest.text !== config.text) live.take(latest);
  return live;
}

/** In a worker: the stack of its queue, running. */
export function openQueue(
  ticket: QueueTicket,
  config: Config = liveConfigOf(ticket).config,
): RunningStack {
  useOrigin(ticket.origin);
  tuneCompiler();
  if (ticket.link === null) return startLoopback(config);
  Eal.registerThread(ticket.cpu < 0 ? {} : { cpu: ticket.cpu });
  const link = openLink(ticket.link);
  const board = new NeighborBoard(ticket.board, ticket.queue);
  const { steering } = link;
  const sharing = steering === null ? {} : sharingOf(steering, ticket);
  const stack = stackOn(config, link, { board, ...sharing });
  return start(config, stack, { device: ticket.device, port: null, link, close: () => 0 });
}

/** A flow is at home on the queue that its hash says; datagrams in fragments may have to be sent there. */
function sharingOf(steering: Steering, ticket: QueueTicket): { homing: Homing; relay: Relay } {
  const { queue, relay: memory, links } = ticket;
  const homing: Homing = {
    isHome: (path, localPort, remotePort) => {
      const local = new Address(path.local0, path.local1, path.local2, path.local3);
      const remote = new Address(path.remote0, path.remote1, path.remote2, path.remote3);
      return steering.queueOf(local, remote, localPort, remotePort) === queue;
    },
  };
  const relay = new Relay({
    memory,
    queue,
    owner: (packet, localPort, remotePort) => {
      const local = new Address(packet.dst0, packet.dst1, packet.dst2, packet.dst3);
      const remote = new Address(packet.src0, packet.src1, packet.src2, packet.src3);
      return steering.queueOf(local, remote, localPort, remotePort);
    },
    wake: (owner) => openLink(links[owner]!).wake(),
  });
  return { homing, relay };
}
