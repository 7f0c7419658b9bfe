/**
 * Calls what server.js serves: `node grpc/client.js host:port`, with dpdk-net or without.
 */
import { credentials } from '@grpc/grpc-js';
import { Greeter } from './greeter.js';

const client = new Greeter(process.argv[2] ?? '10.77.0.2:50051', credentials.createInsecure());

const { text } = await new Promise((resolve, reject) => {
  client.hello({ name: 'gRPC' }, (error, greeting) => (error ? reject(error) : resolve(greeting)));
});
console.log(text);

let sum = 0;
for await (const { number } of client.count({ limit: 1000 })) sum += number;
console.log(`sum ${sum}`);

client.close();
