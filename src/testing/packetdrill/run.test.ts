import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drill } from './run.ts';

/** A listening socket, an accepted connection, and what follows. */
const established = (rest: string, before = ''): string => `${before}
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 257
+0 accept(3, ..., ...) = 4
${rest}`;
/** The line that `rest` begins on. */
const FIRST = 9;

function passes(source: string): string[] {
  const { status, message, printed, line } = drill(source, { strict: true });
  assert.equal(status, 'passed', `line ${line}: ${message}`);
  return [...printed];
}

function fails(source: string, line: number, message: string | RegExp): void {
  const result = drill(source, { strict: true });
  assert.equal(result.status, 'failed');
  if (typeof message === 'string') assert.equal(result.message, message);
  else assert.match(result.message, message);
  assert.equal(result.line, line);
}

test('drill() marks where a packet differs, in the notation of the script', () => {
  fails(
    established('+0 write(4, ..., 1000) = 1000\n+0 > P. 1:1001(1000) ack 2 win 5'),
    FIRST + 1,
    `the packet that was sent differs in ack, win
  expected:  0.100000  P. 1:1001(1000) ack 2 win 5
  actual:    0.100000  P. 1:1001(1000) ack 1 win 512
                                       ^^^^^ ^^^^^^^`,
  );
});

test('drill() says that a packet came too late or too early', () => {
  const write = '+0 write(4, ..., 1000) = 1000\n';
  fails(established(`${write}+.5 > P. 1:1001(1000) ack 1`), FIRST + 1, /0\.500000 s too early/);
  const again = `${write}+0 > P. 1:1001(1000) ack 1\n`;
  fails(established(`${again}+.01 > P. 1:1001(1000) ack 1`), FIRST + 2, /s too late\n {2}expected/);
});

test('drill() says that nothing was sent, and what was to come', () => {
  fails(
    established('+0 > . 1:1(0) ack 1'),
    FIRST,
    'expected a packet, and none was sent\n  expected:  0.100000  . 1:1(0) ack 1',
  );
});

test('drill() finds a packet that the script does not mention, when it is to be strict', () => {
  const source = established('+0 write(4, ..., 10) = 10');
  fails(source, FIRST, /does not mention\n {2}0\.100000 {2}P\. 1:11\(10\) ack 1/);
  assert.equal(drill(source).status, 'passed');
});

test('drill() compares what calls return', () => {
  fails(
    established('+0 read(4, ..., 10) = -1 EPIPE (Broken pipe)', '').replace(
      '+0 read',
      '+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 read',
    ),
    FIRST + 1,
    'read() returned\n  expected:  -1 EPIPE\n  actual:    -1 EAGAIN',
  );
  fails(established('+0 read(4, ..., 10) = 5'), FIRST, /read\(\) blocks/);
  fails(established('+0 ioctl(4, SIOCINQ, [7]) = 0'), FIRST, 'ioctl(): it is 0, not 7');
});

test('drill() checks when a blocking call returns', () => {
  const call = '+0...0.1 read(4, ..., 10) = 10\n';
  passes(established(`${call}+.1 < P. 1:11(10) ack 1 win 257\n+0 > . 1:1(0) ack 11`));
  fails(
    established(`${call}+.05 < P. 1:11(10) ack 1 win 257\n+0 > . 1:1(0) ack 11`),
    FIRST,
    'read() returned at 0.150000, not at 0.200000',
  );
  fails(established(call), FIRST, 'read() has not returned at 0.200000');
});

test('drill() knows each byte: a stream that is put together wrongly would be found', () => {
  // The second segment overlaps the first; the third comes before it is its turn.
  passes(
    established(`+0 < . 1:11(10) ack 1 win 257
+0 > . 1:1(0) ack 11
+0 < . 21:31(10) ack 1 win 257
+0 > . 1:1(0) ack 11 <nop,nop,sack 21:31>
+0 < . 6:21(15) ack 1 win 257
+0 > . 1:1(0) ack 31 <nop,nop,sack 6:11>
+0 read(4, ..., 100) = 30`),
  );
});

test('drill() offers connection information to assertions', () => {
  const printed = passes(established('+0 %{ assert tcpi_snd_mss == 1000; print(tcpi_state) }%'));
  assert.deepEqual(printed, ['1']);
  fails(
    established('+0 %{ assert tcpi_snd_mss == 5 }%'),
    FIRST,
    'does not hold: assert tcpi_snd_mss == 5 (tcpi_snd_mss is 1000)',
  );
});

test('drill() sets what the script asks for, and notes what it cannot', () => {
  const before = '`sysctl net.ipv4.tcp_sack=0 net.ipv4.tcp_magic=9`\n--color=blue\n';
  const source = established('', before).replace('<...>', '<mss 1460,nop,wscale 7>');
  const { status, notes, message } = drill(source);
  assert.equal(status, 'passed', message);
  assert.deepEqual(notes, ['not known: --color', 'not set: net.ipv4.tcp_magic=9']);
});

test('drill() maps timestamps both ways', () => {
  const source = `--tcp_ts_tick_usecs=1000
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>
+.1 < S. 0:0(0) ack 1 win 1000 <mss 1000,nop,nop,TS val 700 ecr 100>
+0 > . 1:1(0) ack 1 <nop,nop,TS val 200 ecr 700>
+0 %{ assert tcpi_rtt == 100000 }%`.replace(
    '+0 connect',
    '+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 connect',
  );
  passes(source);
  fails(source.replace('val 200', 'val 230'), 7, /differs in option TS/);
});

test('drill() runs over IPv6, and with numbers that wrap', () => {
  const source = established(
    `+0 < P. 1:1001(1000) ack 1 win 257
+0 > . 1:1(0) ack 1001
+0 read(4, ..., 2000) = 1000`,
    '--ip_version=ipv6',
  ).replace('<...>', '<mss 1440,nop,nop,sackOK,nop,wscale 7>');
  passes(source);
  for (const remoteIsn of [0x7ffffff0, 0xfffffff0]) {
    const { status, message } = drill(source, { strict: true, remoteIsn });
    assert.equal(status, 'passed', message);
  }
});

test('drill() tells what it does not have from what fails', () => {
  for (const line of [
    '+0 setsockopt(4, SOL_TCP, TCP_DEFER_ACCEPT, [1], 4) = 0',
    '+0 shutdown(4, SHUT_RD) = 0',
    '+0 splice(4, 5) = 0',
    '+0 recv(4, ..., 10, MSG_OOB) = 1',
  ]) {
    const { status, message } = drill(established(line));
    assert.equal(status, 'unsupported');
    assert.match(message, /^not supported: /);
  }
});

test('drill() has poll and epoll, and they block as long as they are told', () => {
  passes(
    established(`+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1
+0...0.05 poll([{fd=4, events=POLLIN, revents=0}], 1, 50) = 0
+.1 epoll_create(1) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = 0
+0...0.1 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 1000) = 1
+.1 < P. 1:11(10) ack 1 win 257
+0 > . 1:1(0) ack 11`),
  );
});

test('drill() takes segments larger than the MTU, both ways, and a command that cleans up', () => {
  passes(
    established(`+0 < P. 1:4001(4000) ack 1 win 257
+0 > . 1:1(0) ack 4001
+0 read(4, ..., 5000) = 4000
+0 write(4, ..., 5000) = 5000
+0 > P. 1:5001(5000) ack 4001
\`rm -f leftovers\``),
  );
  const { status, message } = drill(established('+0 < . 1:30001(30000) ack 1 win 257'));
  assert.equal(status, 'failed');
  assert.equal(message, 'a packet of more than 20000 bytes');
});
