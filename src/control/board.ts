/**
 * What the dashboard shows, in one answer: it asks several times a second, and each question has
 * its price. What changes slowly comes only when it is asked for.
 * @module
 */
import { cpus } from 'node:os';
import * as Drop from '../base/drops.ts';
import {
  type ConnectionPage,
  type ConnectionRow,
  type PageRequest,
  windowsOf,
} from './connection-page.ts';
import type { ConnectionReport } from './connections.ts';
import type { NeighborReport, QueueReport, StackPlace, StatsReport } from './report.ts';
import type { Reporter } from './reporter.ts';
import type { Methods } from './server.ts';

export interface BoardRequest extends PageRequest {
  /** 1: also what changes slowly. */
  readonly slow?: number;
  /** The connection whose details are wanted: 'ADDRESS PORT ADDRESS PORT', our end first. */
  readonly detail?: string;
}

export interface Board {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly stats: readonly StatsReport[];
  readonly page: {
    /** How many there are in all, for the filter. */
    readonly total: number;
    /** Which one `rows` begin with. */
    readonly skip: number;
    readonly rows: readonly (StackPlace & ConnectionRow)[];
    /** What is wrong with the filter; '' for nothing. Somebody may still be writing it. */
    readonly refusal: string;
  };
  /** Null: nobody asked, or it is gone. */
  readonly detail: (StackPlace & ConnectionReport) | null;
  readonly slow: SlowBoard | null;
}

export interface SlowBoard {
  readonly info: {
    readonly version: string;
    readonly title: string;
    readonly pid: number;
    readonly node: string;
    readonly uptimeSeconds: number;
    readonly memory: { readonly rss: number };
  };
  readonly queues: readonly QueueReport[];
  /** How many the machine has. */
  readonly cores: number;
  readonly neighbors: readonly NeighborReport[];
  /** What each reason to drop means. */
  readonly reasons: Readonly<Record<string, string>>;
}

const NOTHING = { total: 0, skip: 0, rows: [] };
/** Neighbors that are shown. */
const MOST_NEIGHBORS = 200;

const REASONS = Object.fromEntries(Drop.family.names.map(({ name, meaning }) => [name, meaning]));

/** Asks everybody. */
export async function boardOf(
  reporters: readonly Reporter[],
  methods: Methods,
  request: BoardRequest,
): Promise<Board> {
  const { detail = '', slow = 0, ...wanted } = request;
  const [stats, page, found, slowly] = await Promise.all([
    methods['stats']!({ driver: false }),
    pageOf(reporters, wanted).catch((error: Error) => ({ ...NOTHING, refusal: error.message })),
    detail === '' ? null : detailOf(methods, detail),
    slow === 1 ? slowBoard(methods) : null,
  ]);
  return {
    time: Date.now(),
    stats: stats as StatsReport[],
    page,
    detail: found,
    slow: slowly,
  };
}

type PlacedPage = ConnectionPage & { readonly rows: readonly (StackPlace & ConnectionRow)[] };

/** A window on the connections of all: of several stacks each is asked for its part of it. */
async function pageOf(
  reporters: readonly Reporter[],
  request: PageRequest,
): Promise<Board['page']> {
  const ask = async (index: number, params: PageRequest): Promise<PlacedPage> =>
    (await reporters[index]!.ask('page', { ...params })) as PlacedPage;
  const { skip = 0, limit = 0 } = request;
  if (reporters.length === 1) {
    const { total, rows } = await ask(0, request);
    return { total, skip, rows, refusal: '' };
  }
  const orders = await Promise.all(
    reporters.map((_, index) => ask(index, { ...request, skip: 0, limit: 0, keys: 1 })),
  );
  const windows = windowsOf(
    orders.map(({ keys }) => keys!),
    skip,
    limit,
  );
  const pages = await Promise.all(
    windows.map((window, index) => ask(index, { ...request, ...window })),
  );
  // Stable: equal ones stay in the order of their stacks.
  const rows = pages.flatMap((page) => page.rows).sort((a, b) => b.key - a.key);
  return { total: orders.reduce((sum, { total }) => sum + total, 0), skip, rows, refusal: '' };
}

async function detailOf(methods: Methods, wanted: string): Promise<Board['detail']> {
  const [local, localPort, address, remotePort] = wanted.split(' ');
  const port = Number(remotePort);
  const found = (await methods['connections']!({ address, port })) as ConnectionReport[];
  const match = found.find(
    (each) =>
      each.remotePort === port &&
      each.remote === address &&
      each.local === local &&
      each.localPort === Number(localPort),
  );
  return (match as Board['detail'] | undefined) ?? null;
}

async function slowBoard(methods: Methods): Promise<SlowBoard> {
  const [info, queues, neighbors] = await Promise.all(
    ['info', 'queues', 'neighbors'].map((name) => methods[name]!({})),
  );
  return {
    info: info as SlowBoard['info'],
    queues: queues as QueueReport[],
    cores: cpus().length,
    neighbors: (neighbors as NeighborReport[]).slice(0, MOST_NEIGHBORS),
    reasons: REASONS,
  };
}
