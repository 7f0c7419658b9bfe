import { createSocket } from 'node:dgram';
import { lookup, Resolver } from 'node:dns/promises';
import { createServer as createHttp, get as getHttp } from 'node:http';
import { createSecureServer, connect as joinHttp2 } from 'node:http2';
import { createServer as createHttps, get as getHttps } from 'node:https';
import { createConnection, createServer as createNet } from 'node:net';
import { createServer as createTls, connect as joinTls } from 'node:tls';
import { everything } from './everything.cjs';

await everything({
  dgram: { createSocket },
  dns: { promises: { lookup, Resolver } },
  http: { createServer: createHttp, get: getHttp },
  http2: { createSecureServer, connect: joinHttp2 },
  https: { createServer: createHttps, get: getHttps },
  net: { createServer: createNet, connect: createConnection },
  tls: { createServer: createTls, connect: joinTls },
});
