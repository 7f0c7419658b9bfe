/**
 * A fastify application with a checked body.
 *
 *     dpdk-net run fastify/server.js
 *     curl -H content-type:application/json -d '{"words":["a","b"]}' http://10.77.0.2:8080/join
 */
import fastify from 'fastify';

const app = fastify();

const body = {
  type: 'object',
  required: ['words'],
  properties: { words: { type: 'array', items: { type: 'string' } } },
};

app.get('/', async () => ({ hello: 'fastify' }));
app.post('/join', { schema: { body } }, async ({ body: { words } }) => ({
  joined: words.join(' '),
}));

await app.listen({ port: Number(process.env.PORT ?? 8080), host: '::' });
console.log(`listening on port ${app.server.address().port}`);
