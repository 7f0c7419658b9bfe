import assert from 'node:assert/strict';
import test from 'node:test';
import { Scoreboard } from './scoreboard.ts';
import { NONE } from './transmissions.ts';

const MSS = 1000;
const ENTRIES = 8192;

/** Segments of MSS bytes from 0 on, all in flight. */
function full(entries: number): Scoreboard {
  const board = new Scoreboard();
  board.reset(0);
  for (let i = 1; i <= entries; i++) board.sent(i * MSS, i);
  return board;
}

/** Sends again all that is lost; where each began. */
function repairAll(board: Scoreboard): number[] {
  const starts: number[] = [];
  for (let at = board.nextLost(MSS); at !== NONE; at = board.nextLost(MSS)) {
    starts.push(board.startOf(at));
    board.retransmitted(at, 1_000_000);
  }
  return starts;
}

test('repairing a full scoreboard looks at each entry about once', () => {
  const board = full(ENTRIES);
  board.loseAll();
  const starts = repairAll(board);
  assert.deepEqual(
    starts,
    Array.from({ length: ENTRIES }, (_, i) => i * MSS),
  );
  assert.ok(board.looked <= 2 * ENTRIES, `${board.looked} looks`);
});

test('what is lost again before others are repaired is found first', () => {
  const board = full(100);
  board.loseAll();
  for (let i = 0; i < 50; i++) board.retransmitted(board.nextLost(MSS), 1_000_000);
  board.loseFirst(MSS);
  assert.equal(board.startOf(board.nextLost(MSS)), 0);
  assert.equal(repairAll(board).length, 51);
  assert.equal(board.lostBytes, 0);
});

test('acknowledgments, splits and growth do not hide what is lost', () => {
  const board = new Scoreboard();
  board.reset(0);
  board.sent(40 * MSS, 1);
  board.loseAll();
  for (let i = 0; i < 10; i++) board.retransmitted(board.nextLost(MSS), 1_000_000);
  board.beginAck();
  board.acknowledge(5 * MSS, 2_000_000, 0);
  // Split in front of the first lost one, by SACK of half a segment.
  board.sack(7 * MSS + 500, 8 * MSS, 2_000_000, 0);
  // More than the array held so far.
  for (let i = 41; i <= 200; i++) board.sent(i * MSS, 2_000_000 + i);
  assert.deepEqual(
    repairAll(board),
    Array.from({ length: 30 }, (_, i) => (10 + i) * MSS),
  );
  assert.equal(board.lostBytes, 0);
});

test('the ACK of a retransmission that came too early to be its own moves RACK nowhere', () => {
  const board = full(4);
  board.loseFirst(MSS);
  board.retransmitted(board.nextLost(MSS), 100_000);
  board.beginAck();
  board.acknowledge(MSS, 100_010, 20_000);
  assert.equal(board.rackRtt, -1, '10 us after it left, of a path of 20 ms');
  assert.equal(board.rtt, -1);
  board.loseFirst(MSS);
  board.retransmitted(board.nextLost(MSS), 200_000);
  board.beginAck();
  board.acknowledge(2 * MSS, 220_000, 20_000);
  assert.deepEqual([board.rackSentAt, board.rackRtt, board.rtt], [200_000, 20_000, -1]);
});

test('a transmission of many segments that is acknowledged bit by bit is no reordering', () => {
  const board = new Scoreboard();
  board.reset(0);
  board.sent(10 * MSS, 1);
  board.sent(20 * MSS, 2);
  for (let segments = 2; segments <= 20; segments += 2) {
    board.beginAck();
    board.acknowledge(segments * MSS, 1000, 0);
    assert.equal(board.reordered, 0, `after ${segments} segments`);
    assert.equal(board.highest, segments * MSS);
  }
});
