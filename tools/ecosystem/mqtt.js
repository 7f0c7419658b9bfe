// Publish and subscribe with every quality of service: mqtt to the broker that SERVER names.
import mqtt from 'mqtt';

const client = await mqtt.connectAsync(`mqtt://${process.env.SERVER}`);
await client.subscribeAsync('news/#', { qos: 2 });
const heard = new Promise((resolve) => {
  const topics = [];
  client.on('message', (topic, message) => {
    topics.push(`${topic}=${message}`);
    if (topics.length === 3) resolve(topics.sort());
  });
});
for (const qos of [0, 1, 2]) await client.publishAsync(`news/${qos}`, 'good', { qos });
console.log((await heard).join(' '));
await client.endAsync();
