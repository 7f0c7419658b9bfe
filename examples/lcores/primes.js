/**
 * Work on lcores: each gets a part, and the main lcore adds up. It needs no device and no DPDK.
 *
 *     node examples/lcores/primes.js [limit]
 */
import { LaunchBuilder, Lcore, openLcores } from 'dpdk-net/lcore';

const limit = Number(process.argv[2] ?? 100_000);
const lcores = await openLcores({ count: 2 });
const share = Math.ceil(limit / lcores.all.length);

const group = new LaunchBuilder(new URL('./count.js', import.meta.url), 'countPrimes')
  .argument((_lcore, index) => ({ from: index * share, to: Math.min((index + 1) * share, limit) }))
  .launch();

console.log(`main lcore ${Lcore.main.id}, workers ${group.handles.map(({ lcore }) => lcore.id)}`);
let total = 0;
for (const { lcore, count } of await group.wait()) {
  console.log(`lcore ${lcore}: ${count}`);
  total += count;
}
console.log(`${total} primes below ${limit}`);
await lcores.close();
