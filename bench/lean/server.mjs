/**
 * The server process on our stack, over memif: `node server.mjs '{"address", "socket"}'`.
 * @module
 */
import { say, settings } from '../measure.mjs';
import { memifMachine } from './memif.mjs';
import { serve } from './services.mjs';

const { address, socket } = settings();
const { machine, stack } = await memifMachine('server', `${address}/24`, socket);
serve(stack);
say({ ready: true });
await machine.until(() => false);
