/**
 * The connections of a stack, as `ss -ti` would tell them, and which of them are asked for.
 * @module
 */
import { Address, Prefix } from '../base/address.ts';
import type { Stack } from '../stack/index.ts';
import type { Connection } from '../tcp/connection.ts';
import { infoOf, type TcpInfo } from '../tcp/info.ts';
import { CLOSED, stateName } from '../tcp/state.ts';

/** What is asked for; what is left out does not matter. */
export interface ConnectionFilter {
  /** 'ESTABLISHED', ...; any case. */
  readonly state?: string;
  /** Either end in this network: '10.0.0.0/24', or one address. */
  readonly address?: string;
  /** Of either end. */
  readonly port?: number;
  /** No more than so many, after the first `skip`. */
  readonly limit?: number;
  readonly skip?: number;
}

export interface ConnectionReport {
  readonly local: string;
  readonly localPort: number;
  readonly remote: string;
  readonly remotePort: number;
  readonly state: string;
  /** Bytes that arrived and are not read; that were written and are not acknowledged. */
  readonly receiveQueue: number;
  readonly sendQueue: number;
  readonly info: TcpInfo;
}

const MOST = 100_000;

/** Those that match. Throws an Error when the filter is wrong. */
export function connectionsOf(stack: Stack, filter: ConnectionFilter): ConnectionReport[] {
  const { limit = MOST, skip = 0 } = filter;
  const matches = matcherOf(filter);
  const found: ConnectionReport[] = [];
  let passed = 0;
  for (const c of stack.tcp.connections) {
    if (!isOpen(c) || !matches(c)) continue;
    passed++;
    if (passed <= skip) continue;
    if (found.length >= limit) break;
    found.push(reportOf(stack, c));
  }
  return found;
}

/** A record without a path is free; one in CLOSED only holds unread input. */
export function isOpen(c: Connection): boolean {
  return c.path !== null && c.state !== CLOSED;
}

/** Whether an open connection is asked for. Throws an Error when the filter is wrong. */
export function matcherOf({ state, address, port }: ConnectionFilter): (c: Connection) => boolean {
  const wantedState = state?.toUpperCase();
  const network = address === undefined ? null : networkOf(address);
  return (c) => {
    if (wantedState !== undefined && stateName(c.state) !== wantedState) return false;
    if (port !== undefined && localPort(c) !== port && remotePort(c) !== port) return false;
    if (network === null) return true;
    const { local0, local1, local2, local3, remote0, remote1, remote2, remote3 } = c.path!;
    return (
      network.contains(local0, local1, local2, local3) ||
      network.contains(remote0, remote1, remote2, remote3)
    );
  };
}

/** One address is a network of its own. */
function networkOf(text: string): Prefix {
  const single = Address.tryParse(text);
  if (single === null) return Prefix.parse(text);
  return Prefix.parse(`${text}/${single.version === 4 ? 32 : 128}`);
}

// The ports are kept as the peer's segments have them: its own first.
const localPort = (c: Connection): number => c.ports & 0xffff;
const remotePort = (c: Connection): number => c.ports >>> 16;

/** The ends of an open connection. */
export function endsOf(
  c: Connection,
): Pick<ConnectionReport, 'local' | 'localPort' | 'remote' | 'remotePort'> {
  const { local0, local1, local2, local3, remote0, remote1, remote2, remote3 } = c.path!;
  return {
    local: String(new Address(local0, local1, local2, local3)),
    localPort: localPort(c),
    remote: String(new Address(remote0, remote1, remote2, remote3)),
    remotePort: remotePort(c),
  };
}

function reportOf(stack: Stack, c: Connection): ConnectionReport {
  const { socket } = c;
  return {
    ...endsOf(c),
    state: stateName(c.state),
    receiveQueue: c.rcv.length,
    sendQueue: c.snd.length,
    info: infoOf(stack.tcp, c, socket?.bytesRead ?? 0, socket?.bytesWritten ?? 0),
  };
}
