/**
 * What a socket shows of its connection once that is over.
 * @module
 */
import { Address } from '../base/address.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { Path } from '../net/path.ts';
import type { Connection } from './connection.ts';

/** What remains visible of a connection: few sockets are asked before it ends. */
export class Ends {
  readonly path: Path;
  readonly ports: number;
  finReceived = false;
  /** What an ICMP error said, and SND.UNA at that time: any progress since makes it history. */
  softError: '' | ErrorCode = '';
  softAt = 0;
  #local: Address | null = null;
  #remote: Address | null = null;

  constructor(c: Connection) {
    // A path is never used for other addresses.
    this.path = c.path!;
    this.ports = c.ports;
  }

  get local(): Address {
    const { local0, local1, local2, local3 } = this.path;
    this.#local ??= new Address(local0, local1, local2, local3);
    return this.#local;
  }

  get remote(): Address {
    const { remote0, remote1, remote2, remote3 } = this.path;
    this.#remote ??= new Address(remote0, remote1, remote2, remote3);
    return this.#remote;
  }
}
