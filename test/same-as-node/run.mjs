/**
 * Runs the little programs of this folder one after another and prints, as JSON, what each of their
 * sockets was told: { program: { socket: [lines] } }. Started twice, on the stack and on the kernel.
 * @module
 */
import { programs as connecting } from './connect.mjs';
import { programs as datagrams } from './dgram.mjs';
import { programs as http } from './http.mjs';
import { programs as listeners } from './listen.mjs';
import { programs as names } from './names.mjs';
import { programs as options } from './options.mjs';
import { describe, Story } from './story.mjs';
import { programs as streams } from './streams.mjs';

const LIMIT_MS = 60_000;

async function tell(program) {
  const story = new Story();
  let timer;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, LIMIT_MS, 'late');
  });
  const told = program(story).then(
    () => 'told',
    (error) => story.log('program', `fails ${describe(error)}`),
  );
  if ((await Promise.race([told, limit])) === 'late') story.log('program', 'is late');
  clearTimeout(timer);
  await story.end();
  return story.lines;
}

const all = {
  ...connecting,
  ...streams,
  ...options,
  ...listeners,
  ...datagrams,
  ...http,
  ...names,
};
const stories = {};
for (const [name, program] of Object.entries(all)) stories[name] = await tell(program);
process.stdout.write(JSON.stringify(stories), () => process.exit());
