/**
 * The client process on our stack, over memif:
 * `node client.mjs '{"program", "address", "local", "socket", "firstMs", "warmupMs", "runMs"}'`.
 * @module
 */
import { Address } from 'dpdk-net/stack';
import { measure, settings } from '../measure.mjs';
import { PROGRAMS } from '../programs.mjs';
import { makeLoad } from './loads.mjs';
import { memifMachine } from './memif.mjs';

const given = settings();
const { machine, stack, port } = await memifMachine('client', `${given.local}/24`, given.socket);
const context = { machine, stack, address: Address.parse(given.address) };
await measure(
  PROGRAMS[given.program],
  (one) => makeLoad(context, one),
  (ms) => machine.wait(ms),
  given,
);
port.close();
process.exit(0);
