// Programs that a program starts: a plain child, and a forked one with a channel.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('required.cjs', import.meta.url));

for (const start of [
  () => spawn(process.execPath, [program], { stdio: 'inherit' }),
  () => fork(program),
]) {
  const [code] = await once(start(), 'exit');
  console.log(`code ${code}`);
}
