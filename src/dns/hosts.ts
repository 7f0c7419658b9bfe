/**
 * Names that are known without asking: hosts(5), and the names that RFC 6761 reserves.
 * @module
 */
import { statSync } from 'node:fs';
import { isIP } from 'node:net';
import { readText, withoutDot } from './settings.ts';

const LOOPBACKS = ['::1', '127.0.0.1'];

export class Hosts {
  readonly #file: string;
  /** When the file was changed that the tables come from; NaN: never read. */
  #changedMs = Number.NaN;
  #addresses = new Map<string, string[]>();
  #names = new Map<string, string[]>();

  constructor(file: string) {
    this.#file = file;
  }

  /** The addresses of `name`, null when it has to be asked for; [] when nobody can know it. */
  addressesOf(name: string): readonly string[] | null {
    const key = withoutDot(name).toLowerCase();
    this.#refresh();
    const known = this.#addresses.get(key);
    if (known !== undefined) return known;
    // RFC 6761 6.3, 6.4: these never leave the machine.
    if (key === 'localhost' || key.endsWith('.localhost')) return LOOPBACKS;
    return key === 'invalid' || key.endsWith('.invalid') ? [] : null;
  }

  /** The names of an address, the first one its proper one; null when there is none. */
  namesOf(address: string): readonly string[] | null {
    this.#refresh();
    return this.#names.get(address) ?? null;
  }

  #refresh(): void {
    const { mtimeMs } = statSync(this.#file, { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
    if (mtimeMs === this.#changedMs) return;
    this.#changedMs = mtimeMs;
    this.#addresses = new Map();
    this.#names = new Map();
    for (const line of readText(this.#file).split('\n')) this.#addLine(line);
  }

  #addLine(line: string): void {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address === undefined || isIP(address) === 0) return;
    for (const name of names) append(this.#addresses, name.toLowerCase(), address);
    for (const name of names) append(this.#names, address, name);
  }
}

function append(table: Map<string, string[]>, key: string, value: string): void {
  const values = table.get(key) ?? [];
  if (!values.includes(value)) values.push(value);
  table.set(key, values);
}
