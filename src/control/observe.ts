/**
 * Observers of an interface that come and go while the stack runs.
 *
 * The first puts a wrapper around the link and the last takes it away: nobody pays while nobody
 * looks.
 * @module
 */
import type { Link } from '../link/link.ts';
import { type Observer, TapLink } from '../link/tap.ts';
import type { Nic } from '../net/nic.ts';

interface Observed {
  readonly link: Link;
  readonly observers: Set<Observer>;
}

const observed = new WeakMap<Nic, Observed>();

/** `observer` sees every frame of `nic` until the function that is returned is called. */
export function observe(nic: Nic, observer: Observer): () => void {
  let entry = observed.get(nic);
  if (entry === undefined) {
    const { link } = nic;
    const observers = new Set<Observer>();
    entry = { link, observers };
    observed.set(nic, entry);
    nic.link = new TapLink(link, (direction, at, length, flags, headers) => {
      for (const each of observers) each(direction, at, length, flags, headers);
    });
  }
  const { link, observers } = entry;
  observers.add(observer);
  return () => {
    observers.delete(observer);
    if (observers.size > 0 || observed.get(nic)?.observers !== observers) return;
    nic.link = link;
    observed.delete(nic);
  };
}
