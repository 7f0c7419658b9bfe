import dgram from 'node:dgram';
import dns from 'node:dns';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { everything } from './everything.cjs';

await everything({ dgram, dns, http, http2, https, net, tls });
