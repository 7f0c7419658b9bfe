import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { type Answer, decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { NameServer, type Script, zone } from './fixture.ts';
import { Hosts } from './hosts.ts';
import { candidates, lookup } from './lookup.ts';
import { decodeResponse, encodeQuery, isName, recordsFor } from './message.ts';
import { type QueryOptions, query } from './query.ts';
import { dnsSettings } from './settings.ts';

const A: Answer = { type: 'A', name: 'a.example', ttl: 60, data: '10.0.0.1' };
const ALIAS: Answer = { type: 'CNAME', name: 'alias.example', data: 'a.example' };
/** Long enough that only a bug lets it pass. */
const PATIENT_MS = 60_000;

function options(servers: readonly { port: number }[], more = {}): QueryOptions {
  return {
    servers: servers.map(({ port }) => ({ address: '127.0.0.1', port })),
    timeoutMs: PATIENT_MS,
    maxTimeoutMs: 0,
    attempts: 2,
    signal: new AbortController().signal,
    local: null,
    ...more,
  };
}

async function withServers(
  scripts: Script[],
  run: (servers: NameServer[]) => Promise<void>,
): Promise<void> {
  const servers = await Promise.all(scripts.map((script) => new NameServer(script).listen()));
  try {
    await run(servers);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

const dataOf = (found: unknown): unknown[] => (found as { data: unknown }[]).map((r) => r.data);

test('a question is answered, through an alias', () =>
  withServers([zone([A, ALIAS])], async (servers) => {
    const found = await query({ name: 'Alias.Example', type: 'A' }, options(servers));
    assert.deepEqual(dataOf(found), ['10.0.0.1']);
  }));

test('an answer that does not fit comes over TCP', () => {
  const many = Array.from(
    { length: 100 },
    (_, i): Answer => ({ ...A, data: `10.0.1.${i}` }) as Answer,
  );
  return withServers([zone(many)], async (servers) => {
    const found = await query({ name: 'a.example', type: 'A' }, options(servers));
    assert.equal(found.length, 100);
    assert.deepEqual(servers[0]!.log, ['udp A a.example', 'tcp A a.example']);
  });
});

test('every question has an identifier and a port of its own', () =>
  withServers([zone([A])], async (servers) => {
    const asked = Array.from({ length: 64 }, () =>
      query({ name: 'a.example', type: 'A' }, options(servers)),
    );
    await Promise.all(asked);
    const { ids, ports } = servers[0]!;
    assert.equal(new Set(ports).size, 64);
    // 64 of 65536: two may agree, five will not.
    assert.ok(new Set(ids).size > 60);
    assert.ok(ids.some((id) => id > 4096));
  }));

const CODES: [Script, string][] = [
  [() => 3, 'ENOTFOUND'],
  [() => [], 'ENODATA'],
  [() => 2, 'ESERVFAIL'],
  [() => 5, 'EREFUSED'],
  [() => 4, 'ENOTIMP'],
  [() => 1, 'EFORMERR'],
  [() => 9, 'EBADRESP'],
];

for (const [script, code] of CODES) {
  test(`${code} is what the server says`, () =>
    withServers([script], async (servers) => {
      assert.equal(await query({ name: 'a.example', type: 'A' }, options(servers)), code);
    }));
}

test('a server that does not know EDNS is asked without', () => {
  let count = 0;
  return withServers([() => (count++ === 0 ? 1 : [A])], async (servers) => {
    const found = await query({ name: 'a.example', type: 'A' }, options(servers));
    assert.deepEqual(dataOf(found), ['10.0.0.1']);
  });
});

test('a server that fails, refuses or is not there gives way to the next', () =>
  withServers([() => 2, () => 5, zone([A])], async (servers) => {
    const gone = await new NameServer(() => null).listen();
    await gone.close();
    const found = await query({ name: 'a.example', type: 'A' }, options([gone, ...servers]));
    assert.deepEqual(dataOf(found), ['10.0.0.1']);
    assert.equal(servers[2]!.log.length, 1);
  }));

test('a server that is not there is noticed without waiting', async () => {
  const gone = await new NameServer(() => null).listen();
  await gone.close();
  const question = { name: 'a.example', type: 'A' } as const;
  assert.equal(await query(question, options([gone])), 'ECONNREFUSED');
});

test('silence is ETIMEOUT after as many tries as there are to be', () =>
  withServers([() => null], async (servers) => {
    const impatient = options(servers, { timeoutMs: 50, maxTimeoutMs: 60, attempts: 3 });
    assert.equal(await query({ name: 'a.example', type: 'A' }, impatient), 'ETIMEOUT');
    assert.equal(servers[0]!.log.length, 3);
  }));

test('a question can be given up', () =>
  withServers([() => null], async (servers) => {
    const abort = new AbortController();
    const asked = query(
      { name: 'a.example', type: 'A' },
      options(servers, { signal: abort.signal }),
    );
    abort.abort();
    assert.equal(await asked, 'ECANCELLED');
    const late = options(servers, { signal: abort.signal });
    assert.equal(await query({ name: 'a.example', type: 'A' }, late), 'ECANCELLED');
  }));

test('names that cannot be are not asked for', async () => {
  for (const name of ['', '.', 'a..b', `${'x'.repeat(64)}.b`, 'a.'.repeat(128)]) {
    assert.equal(await query({ name, type: 'A' }, options([])), 'EBADNAME', name);
  }
  assert.ok(isName('a.b.'));
});

test('forged answers are not believed: other id, other question, other name, no response', async () => {
  const server = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('message', (bytes, from) => {
    const { id, questions } = decode(bytes);
    const forged: Answer = { ...A, data: '6.6.6.6' } as Answer;
    const say = (packet: object): void => {
      const whole = { type: 'response', id, questions, answers: [forged], ...packet };
      server.send(encode(whole as never), from.port, from.address);
    };
    say({ id: (id! + 1) & 0xffff });
    say({ questions: [{ name: 'b.example', type: 'A' }] });
    say({ questions: [{ name: 'a.example', type: 'AAAA' }] });
    say({ questions: [] });
    say({ type: 'query' });
    server.send(Buffer.from('nonsense'), from.port, from.address);
    // What stands beside the answer is not the answer.
    say({ answers: [{ ...forged, name: 'other.example' }, A] });
  });
  const found = await query({ name: 'a.example', type: 'A' }, options([server.address()]));
  assert.deepEqual(dataOf(found), ['10.0.0.1']);
  server.close();
});

test('a TCP answer that is no answer, or none, is as good as no server', () =>
  withServers(
    [(_question, how) => (how === 'udp' ? Array(100).fill(A) : Buffer.from([0, 2, 1, 1]))],
    async (servers) => {
      const question = { name: 'a.example', type: 'A' } as const;
      assert.equal(await query(question, options(servers, { attempts: 1 })), 'ECONNREFUSED');
    },
  ));

test('no bytes make decodeResponse() throw', () => {
  const question = { name: 'a.example', type: 'A' } as const;
  const whole = encode({ type: 'response', id: 7, questions: [question], answers: [A, ALIAS] });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      decodeResponse(Buffer.from(bytes), 7, question);
    }),
  );
  const edit = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(edit, fc.nat(whole.length), (edits, length) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of edits) bytes[at] = value;
      decodeResponse(bytes.subarray(0, length), 7, question);
    }),
  );
});

test('aliases that lead in a circle lead nowhere', () => {
  const circle: Answer[] = [
    { type: 'CNAME', name: 'a.example', data: 'b.example' },
    { type: 'CNAME', name: 'b.example', data: 'a.example' },
  ];
  assert.deepEqual(recordsFor({ name: 'a.example', type: 'A' }, circle), []);
});

test('a query is what dns-packet reads again, with EDNS or without', () => {
  const { id, questions, additionals } = decode(encodeQuery(9, { name: 'x.y', type: 'MX' }, true));
  assert.equal(id, 9);
  assert.deepEqual(questions, [{ name: 'x.y', type: 'MX', class: 'IN' }]);
  assert.equal(additionals![0]!.type, 'OPT');
  assert.deepEqual(decode(encodeQuery(9, { name: 'x.y', type: 'MX' }, false)).additionals, []);
});

test('candidates(): search domains before or behind, by the dots; absolute names alone', () => {
  const settings = dnsSettings({ search: ['a.example', 'b.example'], ndots: 2 });
  assert.deepEqual(candidates('x.y', settings), ['x.y.a.example', 'x.y.b.example', 'x.y']);
  assert.deepEqual(candidates('x.y.z', settings), ['x.y.z', 'x.y.z.a.example', 'x.y.z.b.example']);
  assert.deepEqual(candidates('x.', settings), ['x']);
  assert.deepEqual(candidates('x..y', settings), []);
});

const LOOKUPS: { what: string; script: Script; expected: string[] | string; log?: string[] }[] = [
  {
    what: 'the search domains are tried',
    script: zone([{ type: 'A', name: 'host.b.example', data: '10.0.0.9' }]),
    expected: ['10.0.0.9'],
    log: ['udp A host.a.example', 'udp A host.b.example'],
  },
  { what: 'a name that nobody knows', script: () => 3, expected: 'ENOTFOUND' },
  { what: 'a name without addresses', script: () => [], expected: 'ENOTFOUND' },
  { what: 'servers that fail', script: () => 2, expected: 'EAI_AGAIN' },
];

for (const { what, script, expected, log } of LOOKUPS) {
  test(`lookup(): ${what}`, () =>
    withServers([script], async (servers) => {
      const settings = dnsSettings({
        servers: options(servers).servers,
        search: ['a.example', 'b.example'],
        ndots: 1,
        timeoutMs: PATIENT_MS,
      });
      const hosts = new Hosts('/none');
      const found = await lookup({ name: 'host', family: 4 }, hosts, settings, () => true);
      assert.deepEqual(found, expected);
      if (log !== undefined) assert.deepEqual(servers[0]!.log, log);
    }));
}

test('lookup(): both families, IPv6 first where both can be reached, else what can', () =>
  withServers(
    [
      zone([
        { type: 'A', name: 'both.example', data: '10.0.0.1' },
        { type: 'AAAA', name: 'both.example', data: '2001:db8::1' },
      ]),
    ],
    async (servers) => {
      const settings = dnsSettings({ servers: options(servers).servers, search: [] });
      const hosts = new Hosts('/none');
      const request = { name: 'both.example', family: 0 } as const;
      const all = await lookup(request, hosts, settings, () => true);
      assert.deepEqual(all, ['2001:db8::1', '10.0.0.1']);
      const v4 = await lookup(request, hosts, settings, (address) => address.version === 4);
      assert.deepEqual(v4, ['10.0.0.1', '2001:db8::1']);
    },
  ));
