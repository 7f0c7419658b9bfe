/**
 * The page: asks, draws, and listens to the keyboard.
 * @module
 */
import { ConnectionDetail } from './connection-detail.ts';
import { ConnectionTable, nameOf } from './connection-table.ts';
import { byId, setText } from './dom.ts';
import { type Board, Feed, type FeedState } from './feed.ts';
import { age, bytes } from './format.ts';
import { History } from './history.ts';
import { DropList, NeighborList } from './lists.ts';
import { QueueCharts } from './queue-charts.ts';
import { QueuesPanel } from './queues-panel.ts';
import { startTheme } from './theme.ts';
import { Tiles } from './tiles.ts';

const history = new History();
const tiles = new Tiles();
const charts = new QueueCharts();
const queues = new QueuesPanel();
const drops = new DropList();
const neighbors = new NeighborList();
const detail = new ConnectionDetail();
let chosen = '';
let last: Board | null = null;

const address = byId<HTMLInputElement>('filter-address');
const port = byId<HTMLInputElement>('filter-port');
const state = byId<HTMLSelectElement>('filter-state');

const feed = new Feed({
  query: () => ({ ...table.query(), ...filter(), ...(chosen === '' ? {} : { detail: chosen }) }),
  onBoard: show,
  onState: showState,
  onLogin: () => byId<HTMLDialogElement>('login').showModal(),
});

const table = new ConnectionTable({
  onMove: () => feed.soon(),
  onChoice: (row) => {
    chosen = row === null ? '' : nameOf(row);
    detail.open(row, () => {
      table.choose(null);
      byId('grid').focus();
    });
    feed.soon();
  },
});

function filter(): Record<string, string> {
  const asked: Record<string, string> = {};
  if (address.value.trim() !== '') asked['address'] = address.value.trim();
  if (/^\d{1,5}$/.test(port.value.trim())) asked['port'] = port.value.trim();
  if (state.value !== '') asked['state'] = state.value;
  return asked;
}

function show(board: Board): void {
  showRefusal(board.page.refusal);
  last = board;
  history.add(board);
  draw(board);
  table.draw(board);
  detail.draw(board);
}

/** Says at the filter what is wrong with it. */
function showRefusal(refusal: string): void {
  address.title = refusal;
  if (refusal === '') address.removeAttribute('aria-invalid');
  else address.setAttribute('aria-invalid', 'true');
}

function draw(board: Board): void {
  tiles.draw(board, history);
  charts.draw(board, history);
  queues.draw(board, history);
  drops.draw(board);
  neighbors.draw(board);
  if (board.slow === null) return;
  const { title, pid, version, uptimeSeconds, memory } = board.slow.info;
  document.title = `${title} – dpdk-net`;
  const facts = [title, `process ${pid}`, `up ${age(uptimeSeconds)}`, bytes(memory.rss), version];
  setText(byId('about'), facts.join('  ·  '));
}

function showState(next: FeedState, message: string): void {
  const status = byId('status');
  status.dataset['state'] = next;
  setText(status, message === '' ? next : message);
}

function togglePause(): void {
  const button = byId('pause');
  feed.pause(!feed.isPaused);
  button.setAttribute('aria-pressed', `${feed.isPaused}`);
  setText(button.firstElementChild!, feed.isPaused ? 'Go on' : 'Pause');
}

function listen(): void {
  const theme = startTheme(() => last !== null && draw(last));
  byId('pause').addEventListener('click', togglePause);
  byId('login-form').addEventListener('submit', () =>
    feed.unlock(byId<HTMLInputElement>('token').value),
  );
  byId('filter').addEventListener('submit', (event) => event.preventDefault());
  byId('filter').addEventListener('input', () => {
    table.rewind();
    feed.soon();
  });
  document.addEventListener('keydown', (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey) return;
    const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (isTyping) {
      if (key === 'Escape') byId('grid').focus();
      return;
    }
    if (key === 'p' || key === 'P') togglePause();
    else if (key === 't' || key === 'T') theme.toggle();
    else if (key === '/') {
      event.preventDefault();
      address.focus();
    }
  });
}

listen();
feed.start();
