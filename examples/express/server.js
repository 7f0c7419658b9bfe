/**
 * An express application; nothing in it knows of DPDK.
 *
 *     dpdk-net run express/server.js
 *     curl http://10.77.0.2:8080/hello/you
 */
import express from 'express';

const app = express();
app.use(express.json());

app.get('/hello/:name', (request, response) => {
  response.json({ hello: request.params.name, from: request.ip });
});

app.post('/sum', (request, response) => {
  response.json({ sum: request.body.numbers.reduce((sum, number) => sum + number, 0) });
});

const server = app.listen(process.env.PORT ?? 8080, () => {
  console.log(`listening on port ${server.address().port}`);
});
