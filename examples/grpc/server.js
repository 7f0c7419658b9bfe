/**
 * A gRPC server: one call with an answer, one with a stream of them.
 *
 *     dpdk-net run grpc/server.js
 *     node grpc/client.js 10.77.0.2:50051
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { Greeter } from './greeter.js';

const server = new Server();

server.addService(Greeter.service, {
  hello({ request: { name } }, callback) {
    callback(null, { text: `hello ${name}` });
  },
  count(call) {
    for (let number = 1; number <= call.request.limit; number++) call.write({ number });
    call.end();
  },
});

const address = `[::]:${process.env.PORT ?? 50051}`;
server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`listening on port ${port}`);
});
