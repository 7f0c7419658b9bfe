/**
 * Errors of the stack's public API. Codes are the ones Node and POSIX use.
 *
 * On the packet path nothing throws: failures there are returned codes with a counter
 * (base/drops.ts). A StackError is for the caller who asked for something impossible.
 * @module
 */

export type ErrorCode =
  | 'EINVAL'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'EACCES'
  | 'EAGAIN'
  | 'EBADF'
  | 'ECONNABORTED'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EDESTADDRREQ'
  | 'EHOSTUNREACH'
  | 'EISCONN'
  | 'EMSGSIZE'
  | 'ENETUNREACH'
  | 'ENOBUFS'
  | 'ENOMEM'
  | 'ENOTCONN'
  | 'ENOTSUP'
  | 'EPIPE'
  | 'EPROTO'
  | 'ETIMEDOUT';

export class StackError extends Error {
  override readonly name: string = 'StackError';
  readonly code: ErrorCode;

  /** `message` says what was attempted and what to do; it has no trailing period. */
  constructor(code: ErrorCode, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}
