/**
 * A Redis client: counts, queues and listens. REDIS is where the server is.
 *
 *     REDIS=redis://10.77.0.1:6379 dpdk-net run redis/visits.js
 */
import { Redis } from 'ioredis';

const url = process.env.REDIS ?? 'redis://10.77.0.1:6379';
const redis = new Redis(url);
const listener = new Redis(url);

await redis.del('visits');
const counts = await Promise.all(Array.from({ length: 1000 }, () => redis.incr('visits')));
console.log(`visits ${Math.max(...counts)}`);

const page = 'x'.repeat(1 << 20);
await redis.set('page', page);
console.log(`page ${(await redis.get('page')) === page ? 'unharmed' : 'harmed'}`);

const heard = new Promise((resolve) => {
  listener.on('message', (_channel, message) => resolve(message));
});
await listener.subscribe('news');
await redis.publish('news', 'good');
console.log(`news ${await heard}`);

await Promise.all([redis.quit(), listener.quit()]);
