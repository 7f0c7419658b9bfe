/**
 * Records in the shapes that Node's dns module gives to programs.
 * @module
 */
import type {
  Answer,
  CaaData,
  MxData,
  NaptrData,
  RecordType,
  SoaData,
  SrvData,
  TlsaData,
  TxtData,
} from 'dns-packet';

/** The method of Node's resolver handle -> the type that it asks for. */
export const QUERY_TYPES: Readonly<Record<string, RecordType>> = {
  queryA: 'A',
  queryAaaa: 'AAAA',
  queryAny: 'ANY' as RecordType,
  queryCaa: 'CAA',
  queryCname: 'CNAME',
  queryMx: 'MX',
  queryNaptr: 'NAPTR',
  queryNs: 'NS',
  queryPtr: 'PTR',
  querySoa: 'SOA',
  querySrv: 'SRV',
  queryTlsa: 'TLSA',
  queryTxt: 'TXT',
};

const SHAPES: Readonly<Record<string, (data: never) => unknown>> = {
  CAA: ({ flags, tag, value }: CaaData) => ({ critical: flags ?? 0, [tag]: value }),
  MX: ({ exchange, preference }: MxData) => ({ exchange, priority: preference ?? 0 }),
  NAPTR: ({ flags, services, regexp, replacement, order, preference }: NaptrData) => ({
    flags,
    service: services,
    regexp,
    replacement: replacement === '.' ? '' : replacement,
    order,
    preference,
  }),
  SOA: ({ mname, rname, serial, refresh, retry, expire, minimum }: SoaData) => ({
    nsname: mname,
    hostmaster: rname,
    serial,
    refresh,
    retry,
    expire,
    minttl: minimum,
  }),
  SRV: ({ target, port, priority, weight }: SrvData) => ({
    name: target === '.' ? '' : target,
    port,
    priority: priority ?? 0,
    weight: weight ?? 0,
  }),
  TLSA: ({ usage, selector, matchingType, certificate }: TlsaData) => ({
    certUsage: usage,
    selector,
    match: matchingType,
    data: Uint8Array.from(certificate).buffer,
  }),
  TXT: (data: TxtData) => [data].flat().map(String),
};

/** One record's data as the resolver of its type gives it. */
function shape({ type, data }: { type: string; data: unknown }): unknown {
  const form = SHAPES[type];
  return form === undefined ? data : form(data as never);
}

/** What the callback of one of the handle's methods gets behind the error: result, then TTLs. */
export function resultOf(type: RecordType, records: readonly Answer[]): unknown[] {
  const known = records.filter((record) => 'data' in record) as { type: string; data: unknown }[];
  if (type === ('ANY' as RecordType)) return [known.flatMap(anyRecord)];
  const shapes = known.map(shape);
  if (type === 'SOA') return [shapes[0]];
  if (type !== 'A' && type !== 'AAAA') return [shapes];
  return [shapes, known.map((record) => (record as { ttl?: number }).ttl ?? 0)];
}

/** A record among others says which type it is; types that resolveAny() does not have are left out. */
function anyRecord(record: { type: string; data: unknown; ttl?: number }): unknown[] {
  const { type, data, ttl } = record;
  if (type === 'A' || type === 'AAAA') return [{ type, address: data, ttl: ttl ?? 0 }];
  if (type === 'CNAME' || type === 'NS' || type === 'PTR') return [{ type, value: data }];
  if (type === 'TXT') return [{ type, entries: shape(record) }];
  if (SHAPES[type] === undefined) return [];
  return [{ type, ...(shape(record) as object) }];
}

/** The name that has an address's PTR records: RFC 1035 3.5, RFC 3596 2.5. */
export function reverseName(
  words: readonly [number, number, number, number],
  version: 4 | 6,
): string {
  if (version === 4) {
    const word = words[3];
    return `${word & 255}.${(word >>> 8) & 255}.${(word >>> 16) & 255}.${word >>> 24}.in-addr.arpa`;
  }
  const digits = words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}
