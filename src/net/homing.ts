/**
 * Several stacks over one device, each a queue: whose queue a packet comes to.
 * @module
 */
import type { Path } from './path.ts';

export interface Homing {
  /** Whether what the path's remote end sends from `remotePort` to `localPort` comes to this stack. */
  isHome(path: Path, localPort: number, remotePort: number): boolean;
}

/** As Homing.isHome(), for a stack that may be the only one. The loopback is each stack's own. */
export function isHome(
  homing: Homing | null,
  path: Path,
  localPort: number,
  remotePort: number,
): boolean {
  if (homing === null || path.nic.loopback === 1) return true;
  return homing.isHome(path, localPort, remotePort);
}
