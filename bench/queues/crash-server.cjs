/**
 * For crash.mjs, in each worker: an echo server, which throws when it is told to.
 */
const { threadId } = require('node:worker_threads');

require('node:net')
  .createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (data.includes('crash')) throw new Error('as told');
      socket.write(data.includes('who') ? `${threadId} ` : data);
    });
  })
  .listen(7007, () => console.log('listening'));
