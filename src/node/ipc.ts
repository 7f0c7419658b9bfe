/**
 * Sockets of the stack cannot go to another process: they have no descriptor to pass.
 *
 * Node's IPC takes every handle for one of its own and reaches into it natively, so the guard
 * stands before it. That covers child.send(), process.send() and cluster.
 * @module
 */
import childProcess from 'node:child_process';
import { TcpHandle } from './tcp-handle.ts';

type Send = (message: unknown, handle?: unknown, ...rest: unknown[]) => unknown;

/** Whatever has an IPC channel: a ChildProcess, or this process. */
interface Sender {
  _send?: Send;
}

function isOurs(handle: unknown): boolean {
  if (handle instanceof TcpHandle) return true;
  return (handle as { _handle?: unknown } | null | undefined)?._handle instanceof TcpHandle;
}

function guard(sender: Sender): void {
  const send = sender._send;
  if (typeof send !== 'function') return;
  sender._send = function (this: unknown, message, handle, ...rest) {
    if (isOurs(handle)) {
      const text = 'a socket of the dpdk-net stack cannot be sent to another process';
      throw Object.assign(new TypeError(text), { code: 'ERR_INVALID_HANDLE_TYPE' });
    }
    return send.call(this, message, handle, ...rest);
  };
}

let isGuarded = false;

/** Makes every IPC channel of this thread refuse our handles. Idempotent. */
export function guardIpc(): void {
  if (isGuarded) return;
  isGuarded = true;
  const prototype = childProcess.ChildProcess.prototype as unknown as {
    spawn(this: Sender, ...args: unknown[]): unknown;
  };
  const spawn = prototype.spawn;
  prototype.spawn = function (...args) {
    const result = spawn.apply(this, args);
    guard(this);
    return result;
  };
  guard(process as unknown as Sender);
}
