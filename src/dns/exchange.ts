/**
 * One question to one server: over UDP, and over TCP when the answer does not fit.
 *
 * The sockets are Node's, so the routes decide whether the stack or the kernel carries them. Each
 * question has a socket of its own, with a random port, and a random identifier (RFC 5452): who
 * wants to forge an answer has to guess both. The socket is connected, so nobody but the server is
 * heard, and a server that is not there is noticed at once.
 * @module
 */
import { randomInt } from 'node:crypto';
import dgram from 'node:dgram';
import net from 'node:net';
import { decodeResponse, encodeQuery, type Question, type Response } from './message.ts';
import type { Server } from './settings.ts';

/** Why there is no answer. */
export type Failure = 'ETIMEOUT' | 'ECONNREFUSED' | 'ECANCELLED';

/** Where the sockets come from, when that is to be somewhere: an address for each family. */
export interface LocalAddress {
  readonly v4: string;
  readonly v6: string;
}

export interface ExchangeOptions {
  readonly timeoutMs: number;
  /** Ends the exchange with 'ECANCELLED'. */
  readonly signal: AbortSignal;
  readonly local: LocalAddress | null;
}

const IDENTIFIERS = 65536;
const FORMERR = 1;
const NOTIMP = 4;
const LENGTH_BYTES = 2;

/** Asks `server`; resolves with what it said, or why it said nothing. Never rejects. */
export async function exchange(
  server: Server,
  question: Question,
  options: ExchangeOptions,
): Promise<Response | Failure> {
  const answer = await overUdp(server, question, options, true);
  if (typeof answer === 'string') return answer;
  if (answer.isTruncated) return overTcp(server, question, options);
  // A server from before EDNS may take offence (RFC 6891 7).
  const isOld = answer.rcode === FORMERR || answer.rcode === NOTIMP;
  return isOld ? overUdp(server, question, options, false) : answer;
}

/** Runs `begin` with a function that settles it, and `end` when that is called or time is up. */
function within(
  { timeoutMs, signal }: ExchangeOptions,
  begin: (settle: (result: Response | Failure) => void) => () => void,
): Promise<Response | Failure> {
  return new Promise((resolve) => {
    let end: (() => void) | null = null;
    let isSettled = false;
    const settle = (result: Response | Failure): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      end?.();
      resolve(result);
    };
    const cancel = (): void => settle('ECANCELLED');
    const timer = setTimeout(() => settle('ETIMEOUT'), timeoutMs);
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
    else end = begin(settle);
    if (isSettled) end?.();
  });
}

function overUdp(
  server: Server,
  question: Question,
  options: ExchangeOptions,
  edns: boolean,
): Promise<Response | Failure> {
  const isV6 = net.isIPv6(server.address);
  const id = randomInt(IDENTIFIERS);
  return within(options, (settle) => {
    const socket = dgram.createSocket(isV6 ? 'udp6' : 'udp4');
    socket.on('error', () => settle('ECONNREFUSED'));
    socket.on('message', (message) => {
      const response = decodeResponse(message, id, question);
      if (response !== null) settle(response);
    });
    socket.on('connect', () => socket.send(encodeQuery(id, question, edns)));
    const local = options.local === null ? '' : localFor(options.local, isV6);
    // The callback of connect() would get the error that 'error' then does not.
    socket.bind({ port: 0, ...(local === '' ? {} : { address: local }) }, () => {
      socket.connect(server.port, server.address);
    });
    return () => socket.close();
  });
}

function overTcp(
  server: Server,
  question: Question,
  options: ExchangeOptions,
): Promise<Response | Failure> {
  const isV6 = net.isIPv6(server.address);
  const id = randomInt(IDENTIFIERS);
  return within(options, (settle) => {
    const local = options.local === null ? '' : localFor(options.local, isV6);
    const socket = net.connect({
      host: server.address,
      port: server.port,
      ...(local === '' ? {} : { localAddress: local }),
    });
    let received = Buffer.alloc(0);
    socket.on('error', () => settle('ECONNREFUSED'));
    socket.on('end', () => settle('ECONNREFUSED'));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < LENGTH_BYTES) return;
      const end = LENGTH_BYTES + received.readUInt16BE(0);
      if (received.length < end) return;
      const response = decodeResponse(received.subarray(LENGTH_BYTES, end), id, question);
      settle(response ?? 'ECONNREFUSED');
    });
    const query = encodeQuery(id, question, true);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
    return () => socket.destroy();
  });
}

/** '' stands for "any". */
function localFor({ v4, v6 }: LocalAddress, isV6: boolean): string {
  const address = isV6 ? v6 : v4;
  return address === '0.0.0.0' || address === '::' ? '' : address;
}
