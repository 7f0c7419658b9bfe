import { everything } from './everything.cjs';

const names = ['dgram', 'dns', 'http', 'http2', 'https', 'net', 'tls'];
const modules = await Promise.all(names.map((name) => import(`node:${name}`)));
await everything(Object.fromEntries(names.map((name, index) => [name, modules[index]])));
