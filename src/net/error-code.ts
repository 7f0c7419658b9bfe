/**
 * What an ICMP error is called by those who sent the datagram.
 * @module
 */
import type { ErrorCode } from '../base/errors.ts';
import {
  PACKET_TOO_BIG,
  UNREACHABLE_NETWORK,
  UNREACHABLE_PORT,
  UNREACHABLE_PROHIBITED,
  UNREACHABLE_PROTOCOL,
} from './transport.ts';

/** The error code for a kind of transport.ts. */
export function errorCode(kind: number): ErrorCode {
  switch (kind) {
    case UNREACHABLE_PORT:
    case UNREACHABLE_PROTOCOL:
      return 'ECONNREFUSED';
    case UNREACHABLE_NETWORK:
      return 'ENETUNREACH';
    case UNREACHABLE_PROHIBITED:
      return 'EACCES';
    case PACKET_TOO_BIG:
      return 'EMSGSIZE';
    default:
      return 'EHOSTUNREACH';
  }
}
