/**
 * Questions and answers as messages (RFC 1035 4, EDNS: RFC 6891), with the package dns-packet.
 * @module
 */
import {
  type Answer,
  type DecodedPacket,
  decode,
  encode,
  type RecordType,
  type StringAnswer,
} from 'dns-packet';

export interface Question {
  readonly name: string;
  readonly type: RecordType;
}

/** What a server said. */
export interface Response {
  /** The RCODE: 0 NOERROR, 3 NXDOMAIN ... */
  readonly rcode: number;
  readonly isTruncated: boolean;
  readonly answers: readonly Answer[];
}

/** dns-packet's flags for "please ask others for me". */
const RECURSION_DESIRED = 0x100;
const RCODE_MASK = 0xf;
/** The answer that crosses every path in one piece (DNS flag day 2020). */
const UDP_PAYLOAD_BYTES = 1232;
/** RFC 1035 2.3.4 */
const MOST_LABEL = 63;
const MOST_NAME = 253;

/** False for names that no server can know: RFC 1035 2.3.4. */
export function isName(name: string): boolean {
  const text = name.endsWith('.') ? name.slice(0, -1) : name;
  if (text.length === 0 || text.length > MOST_NAME) return false;
  return text.split('.').every((label) => label.length > 0 && label.length <= MOST_LABEL);
}

/** The bytes of a query; without `edns` in its oldest form, which every server understands. */
export function encodeQuery(id: number, { name, type }: Question, edns: boolean): Buffer {
  const extensions = {
    type: 'OPT' as const,
    name: '.',
    udpPayloadSize: UDP_PAYLOAD_BYTES,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ name, type, class: 'IN' }],
    ...(edns ? { additionals: [extensions] } : {}),
  });
}

/** What a message says about the query `id`; null when it is not the answer to that. */
export function decodeResponse(bytes: Buffer, id: number, asked: Question): Response | null {
  let packet: DecodedPacket;
  try {
    packet = decode(bytes);
  } catch {
    // Cut short in the middle it can still say that it was.
    return truncated(bytes, id);
  }
  if (packet.id !== id || !packet.flag_qr || packet.questions?.length !== 1) return null;
  const [question] = packet.questions;
  if (question!.type !== asked.type || !isSameName(question!.name, asked.name)) return null;
  const rcode = (packet.flags ?? 0) & RCODE_MASK;
  return { rcode, isTruncated: packet.flag_tc, answers: packet.answers ?? [] };
}

function truncated(bytes: Buffer, id: number): Response | null {
  const isOurs = bytes.length >= 4 && bytes.readUInt16BE(0) === id;
  if (!isOurs || (bytes[2]! & 0x82) !== 0x82) return null;
  return { rcode: 0, isTruncated: true, answers: [] };
}

function isSameName(one: string, other: string): boolean {
  const strip = (name: string): string => name.replace(/\.$/, '').toLowerCase();
  return strip(one) === strip(other);
}

/**
 * The records of `type` that answer for `name`, through the aliases on the way (CNAME): what else
 * a server puts into an answer is not believed. With 'ANY' all of the name's records.
 */
export function recordsFor({ name, type }: Question, answers: readonly Answer[]): Answer[] {
  let wanted = name;
  for (let hops = 0; hops <= answers.length; hops++) {
    const own = answers.filter((answer) => isSameName(answer.name, wanted));
    if (type === ('ANY' as RecordType)) return own;
    const found = own.filter((answer) => answer.type === type);
    const alias = own.find((answer) => answer.type === 'CNAME');
    if (found.length > 0 || alias === undefined) return found;
    wanted = (alias as StringAnswer).data;
  }
  return [];
}
