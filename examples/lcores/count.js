/** What each lcore does: counts the primes of its part. Any export of a module can be launched. */
export function countPrimes({ from, to }, { lcore, signal }) {
  let count = 0;
  for (let number = Math.max(from, 2); number < to && !signal.aborted; number++) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) divisor++;
    if (divisor * divisor > number) count++;
  }
  return { lcore: lcore.id, count };
}
