// biome-ignore-all lint/style/useNodejsImportProtocol: both spellings have to work.
const { everything } = require('./everything.cjs');

everything({
  net: require('net'),
  http: require('node:http'),
  https: require('https'),
  tls: require('node:tls'),
  http2: require('http2'),
  dgram: require('node:dgram'),
  dns: require('dns'),
});
