/**
 * The program that `dpdk-net start` runs: services.ts with the listeners of its argument.
 * @module
 */
import { type ServiceListener, startServices } from './services.ts';

startServices(JSON.parse(process.argv[2] ?? '[]') as ServiceListener[]);
