/**
 * What it costs to be measured: Prometheus's text once a second and the dashboard's question five
 * times a second, against nobody who asks.
 *
 *     node bench/metrics.mjs [--quick] [--json FILE]
 * @module
 */
import { boardOf } from '../dist/control/board.js';
import { methodsOf } from '../dist/control/process.js';
import { localReporter } from '../dist/control/reporter.js';
import { metricsText } from '../dist/metrics/exposition.js';
import { measureObserved } from './layer/observed.mjs';

const MOST = 0.02;
const ASK_MS = 200;
/** Prometheus asks once in so many. */
const SCRAPE_EVERY = 5;

let asked = 0;
await measureObserved('metrics', MOST, (stack) => {
  const reporter = localReporter(stack);
  const methods = methodsOf({ title: 'bench', reporters: () => [reporter] });
  const timer = setInterval(() => {
    if (asked++ % SCRAPE_EVERY === 0) void metricsText([stack.stats()]);
    void boardOf([reporter], methods, { limit: 30, slow: asked % SCRAPE_EVERY === 1 ? 1 : 0 });
  }, ASK_MS);
  return () => {
    clearInterval(timer);
    return { asked };
  };
});
