// A socket.io server: acknowledgements, rooms, binary data.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const server = createServer();
const io = new Server(server);

io.on('connection', (socket) => {
  socket.on('join', (room, done) => {
    socket.join(room);
    done(socket.conn.transport.name);
  });
  socket.on('say', (room, what) => io.to(room).emit('said', what));
});

server.listen(0, () => console.log(`listening on port ${server.address().port}`));
