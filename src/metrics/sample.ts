/**
 * For tests: reports of two queues with something in each kind of value.
 * @module
 */
import { parseConfig } from '../config/config.ts';
import { StackReporter, type StatsReport } from '../control/report.ts';
import { LoopMeter } from '../runtime/loop-meter.ts';
import { openStack } from '../runtime/open-stack.ts';

export function sampleReports(): StatsReport[] {
  const running = openStack(parseConfig('dpdk.port = "loopback"\nroutes.kernel = []', 'a.toml'));
  const place = { port: 'port0', core: -1, numa: -1 };
  const empty = new StackReporter(running, { ...place, queue: 0, worker: 1 }).stats();
  running.close();
  const meter = new LoopMeter();
  for (const us of [1, 3, 1000]) meter.polled(us);
  meter.began(40);
  const counters = {
    drops: { udp_no_socket: 3 },
    net: { frames_in: 1_000_000, bytes_in: 64_000_000, frames_out: 2000, bytes_out: 128_000 },
    tcp: { tcp_retransmits: 9 },
  };
  const first: StatsReport = {
    ...empty,
    counters,
    times: meter.read(),
    neighbors: { reachable: 2, stale: 1 },
    link: { rxFrames: 1_000_000, rxHandedOver: 5 },
    features: { txChecksum: 'hardware', rxChecksum: 'hardware', segmentation: 'software' },
    device: {
      events: { rxMissed: 4, rxPackets: 1_000_000 },
      driver: { rx_q0_packets: 1_000_000 },
      pools: [{ size: 4096, inUse: 17 }],
    },
  };
  return [first, { ...first, queue: 1, worker: 2, isLate: true, device: null }];
}
