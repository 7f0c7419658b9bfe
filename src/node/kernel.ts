/**
 * What stays with the kernel: a socket learns from its destination whose it is.
 *
 * lib/net.js makes the handle before it has looked up the name, so every socket starts with one
 * of ours and changes over when the address turns out to be a kernel route.
 * @module
 */
import {
  type NativeTcp,
  OWNER,
  REINITIALIZE,
  type Request,
  type SocketInternals,
  TCP,
  TCP_SOCKET,
} from './natives.ts';

/** Kernel handles made here, which the interception leaves alone. */
const kernelHandles = new WeakSet<object>();

export function isKernelHandle(handle: object): boolean {
  return kernelHandles.has(handle);
}

/** Where the socket wants to come from, as it told the handle it had before. */
export interface Local {
  readonly address: string;
  readonly port: number;
}

/** Gives the owner of `handle` a kernel handle in its place, and connects that. */
export function connectThroughKernel(
  handle: { hasRef(): boolean },
  request: Request,
  address: string,
  port: number,
  v6: boolean,
  local: Local | null,
): number {
  const owner = (handle as unknown as Record<symbol, SocketInternals>)[OWNER]!;
  const native: NativeTcp = new TCP(TCP_SOCKET);
  kernelHandles.add(native);
  (native as unknown as Record<symbol, unknown>)[OWNER] = owner;
  if (!handle.hasRef()) native.unref();
  (owner[REINITIALIZE] as (handle: NativeTcp) => void).call(owner, native);
  if (local !== null) {
    const errno = v6
      ? native.bind6(local.address, local.port, 0)
      : native.bind(local.address, local.port);
    if (errno !== 0) return errno;
  }
  return v6 ? native.connect6(request, address, port) : native.connect(request, address, port);
}
