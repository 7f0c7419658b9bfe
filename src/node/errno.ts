/**
 * Between the stack's error codes and the negative numbers that Node's handles speak (libuv's).
 * @module
 */
import os from 'node:os';
import util from 'node:util';
import { StackError } from '../base/errors.ts';

/** libuv's UV_EOF, which is no errno of any system. */
export const EOF = -4095;

/** The errno that libuv would return for `code`: negative, 0 for ''. */
export function errnoOf(code: string): number {
  if (code === '') return 0;
  const errno = (os.constants.errno as Record<string, number>)[code];
  // EPROTO stands for whatever this platform has no number for.
  return -(errno ?? os.constants.errno.EPROTO);
}

/** The errno of a StackError; anything else is a bug and is thrown on. */
export function errnoFrom(error: unknown): number {
  if (error instanceof StackError) return errnoOf(error.code);
  throw error;
}

/** The error Node makes of an errno: 'read ECONNRESET' with errno, code and syscall. */
export function errnoError(errno: number, syscall: string): NodeJS.ErrnoException {
  const code = util.getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code}`), { errno, code, syscall });
}

/** The error Node makes of one about an address: 'connect ECONNREFUSED 10.0.0.1:80'. */
export function addressError(
  errno: number,
  syscall: string,
  address: string,
  port: number,
): NodeJS.ErrnoException {
  const error = errnoError(errno, syscall);
  error.message += ` ${address}${port > 0 ? `:${port}` : ''}`;
  return Object.assign(error, { address, port });
}

export const ECANCELED = errnoOf('ECANCELED');
export const ENOTCONN = errnoOf('ENOTCONN');
export const EBADF = errnoOf('EBADF');
export const EINVAL = errnoOf('EINVAL');
export const EPIPE = errnoOf('EPIPE');
export const ENODEV = errnoOf('ENODEV');
export const EADDRINUSE = errnoOf('EADDRINUSE');
export const EALREADY = errnoOf('EALREADY');
export const EISCONN = errnoOf('EISCONN');
export const EADDRNOTAVAIL = errnoOf('EADDRNOTAVAIL');
export const ENOBUFS = errnoOf('ENOBUFS');
