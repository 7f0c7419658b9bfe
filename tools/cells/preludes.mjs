/**
 * What brings a connection into each state, and words that the cells share.
 * @module
 */
export const LISTEN = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0`;
export const SYN_SENT = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <...>`;
export const SYN_RECEIVED = `${LISTEN}
+0 < 40000 > 8080 S 0:0(0) win 1000 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>`;
/** 100 bytes went each way, so that there are old numbers. */
export const CONNECTED = `${SYN_RECEIVED}
+.01 < . 1:1(0) ack 1 win 1000
+0 accept(3, ..., ...) = 4
+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 < P. 1:101(100) ack 1 win 1000
+0 > . 1:1(0) ack 101
+0 read(4, ..., 1000) = 100
+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 101
+.01 < . 101:101(0) ack 101 win 1000`;
export const ESTABLISHED = `${CONNECTED}
+0 write(4, ..., 100) = 100
+0 > P. 101:201(100) ack 101`;
export const FIN_WAIT_1 = `${CONNECTED}
+0 shutdown(4, SHUT_WR) = 0
+0 > F. 101:101(0) ack 101`;
export const FIN_WAIT_2 = `${FIN_WAIT_1}
+.01 < . 101:101(0) ack 102 win 1000`;
export const CLOSING = `${FIN_WAIT_1}
+.01 < F. 101:101(0) ack 101 win 1000
+0 > . 102:102(0) ack 102`;
export const TIME_WAIT = `${FIN_WAIT_2}
+.01 < F. 101:101(0) ack 102 win 1000
+0 > . 102:102(0) ack 102`;
export const CLOSE_WAIT = `${CONNECTED}
+0 < F. 101:101(0) ack 101 win 1000
+0 > . 101:101(0) ack 102`;
export const LAST_ACK = `${CLOSE_WAIT}
+0 shutdown(4, SHUT_WR) = 0
+0 > F. 101:101(0) ack 102`;

/** Beyond the window of 65535, and an ACK below SND.UNA - MAX.SND.WND, which is 1000. */
export const BEYOND = 70000;
export const TOO_OLD = 5000;

export const seq = (first, length = 0) => `${first}:${first + length}(${length})`;
export const is = (state) => `+0 %{ assert tcpi_state == TCP_${state} }%`;
export const wrapped = (number) => (number + 2 ** 32) % 2 ** 32;
