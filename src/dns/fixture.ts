/**
 * What the tests of names share: a name server over UDP and TCP, on whatever carries the sockets.
 * @module
 */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { type Answer, decode, encode, type Packet, streamDecode, streamEncode } from 'dns-packet';

/** What to say to a question: records, an RCODE, raw bytes; null: nothing at all. */
export type Reply = readonly Answer[] | number | Buffer | null;
export type Script = (question: { name: string; type: string }, how: 'udp' | 'tcp') => Reply;

const TRUNCATED = 0x200;
const CLASSIC_BYTES = 512;

export class NameServer {
  /** Every question: 'udp A name', with the client's port behind '#' and the message's id. */
  readonly log: string[] = [];
  readonly ids: number[] = [];
  readonly ports: number[] = [];
  port = 0;
  readonly #script: Script;
  readonly #udp = dgram.createSocket('udp4');
  readonly #tcp: net.Server;

  constructor(script: Script) {
    this.#script = script;
    this.#tcp = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes: Buffer) => {
        const reply = this.#answer(streamDecode(bytes), 'tcp');
        if (reply === null) socket.destroy();
        else socket.end(Buffer.isBuffer(reply) ? reply : streamEncode(reply));
      });
    });
    this.#udp.on('message', (bytes, from) => {
      this.ports.push(from.port);
      const reply = this.#answer(decode(bytes), 'udp');
      if (reply === null) return;
      let message = Buffer.isBuffer(reply) ? reply : encode(reply);
      if (message.length > CLASSIC_BYTES && !Buffer.isBuffer(reply)) {
        message = encode({ ...reply, flags: TRUNCATED, answers: [] });
      }
      this.#udp.send(message, from.port, from.address);
    });
  }

  async listen(address = '127.0.0.1', port = 0): Promise<this> {
    this.#udp.bind(port, address);
    await once(this.#udp, 'listening');
    this.port = this.#udp.address().port;
    this.#tcp.listen(this.port, address);
    await once(this.#tcp, 'listening');
    return this;
  }

  async close(): Promise<void> {
    this.#udp.close();
    this.#tcp.close();
    await once(this.#tcp, 'close');
  }

  #answer(query: Packet, how: 'udp' | 'tcp'): Packet | Buffer | null {
    const question = query.questions![0]!;
    this.log.push(`${how} ${question.type} ${question.name}`);
    this.ids.push(query.id!);
    const reply = this.#script(question, how);
    if (reply === null || Buffer.isBuffer(reply)) return reply;
    const rcode = typeof reply === 'number' ? reply : 0;
    const answers = typeof reply === 'number' ? [] : [...reply];
    return { type: 'response', id: query.id!, flags: rcode, questions: [question], answers };
  }
}

/** A server that answers from a list of records, and that there is no such name to the rest. */
export function zone(records: readonly Answer[]): Script {
  return ({ name, type }) => {
    const own = records.filter((record) => record.name === name.toLowerCase());
    if (own.length === 0) return 3;
    const alias = own.find((record) => record.type === 'CNAME');
    if (alias !== undefined && type !== 'CNAME') {
      const target = (alias as { data: string }).data;
      return [alias, ...records.filter((record) => record.name === target && record.type === type)];
    }
    return own.filter((record) => record.type === type || type === 'ANY');
  };
}
