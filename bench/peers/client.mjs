/**
 * The client process in plain Node: `node client.mjs '{"program", "address", "firstMs", "warmupMs", "runMs"}'`.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { measure, settings } from '../measure.mjs';
import { PROGRAMS } from '../programs.mjs';
import { makeLoad } from './loads.mjs';

const given = settings();
await measure(PROGRAMS[given.program], (one) => makeLoad(given.address, one), sleep, given);
process.exit(0);
