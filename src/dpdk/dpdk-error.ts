/**
 * What DPDK refuses, with its reason, its log and what to do about it.
 * @module
 */

interface Failure {
  readonly code: string;
  readonly operation: string;
  readonly reason: string;
  readonly log: readonly string[];
  readonly remedy: string;
}

/** A failure of DPDK or of one of its drivers. */
export class DpdkError extends Error {
  override readonly name: string = 'DpdkError';
  /** The errno's name: 'ENODEV', 'EALREADY', ... */
  readonly code: string;
  /** What was attempted: 'net_tap0: rte_dev_probe'. */
  readonly operation: string;
  readonly reason: string;
  /** What DPDK logged meanwhile. */
  readonly log: readonly string[];
  /** What to do, in words; '' when we do not know. */
  readonly remedy: string;

  constructor(failure: Failure) {
    const lines = [
      `${failure.operation}: ${failure.reason}`,
      ...failure.log.map((line) => `  ${line}`),
    ];
    if (failure.remedy !== '') lines.push(`  -> ${failure.remedy}`);
    super(lines.join('\n'));
    this.code = failure.code;
    this.operation = failure.operation;
    this.reason = failure.reason;
    this.log = failure.log;
    this.remedy = failure.remedy;
  }
}

/** Runs a call into the addon; what it throws becomes a DpdkError about `subject`. */
export function explained<T>(subject: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw explain(subject, error);
  }
}

interface AddonError extends Error {
  code?: string;
  operation?: string;
  reason?: string;
  log?: string;
}

function explain(subject: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DpdkError) return error;
  const raw = error as AddonError;
  const log = (raw.log ?? '').split('\n').filter((line) => line !== '');
  const operation = raw.operation === undefined ? subject : `${subject}: ${raw.operation}`;
  const code = raw.code ?? 'EDPDK';
  const text = [operation, code, ...log].join('\n');
  const remedy = REMEDIES.find(([pattern]) => pattern.test(text))?.[1] ?? '';
  return new DpdkError({ code, operation, reason: raw.reason ?? raw.message, log, remedy });
}

/** The first pattern found in operation, code or log wins. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /EALREADY/,
    'EAL starts once per process: use Eal.current, or open every device of the process with openPort()',
  ],
  [
    /hugepage|hugetlbfs/i,
    'reserve hugepages (`sysctl vm.nr_hugepages=512`), or do without: Eal.init({ hugepages: false })',
  ],
  [
    /net_tap.*(\/dev\/net\/tun|TUNSETIFF|Operation not permitted|EPERM|EACCES)/s,
    'a TAP device needs /dev/net/tun and CAP_NET_ADMIN: run as root, or in a namespace of your own (`unshare -rn`)',
  ],
  [
    /net_af_(packet|xdp).*(SIOCGIFINDEX|ioctl failed|not exist|if_index|iface)/is,
    'there is no such interface here: `ip link` lists those of this network namespace',
  ],
  [
    /net_af_(packet|xdp).*(EPERM|Operation not permitted)/s,
    'raw sockets need CAP_NET_RAW: run as root',
  ],
  [
    /will not fit in mbuf/,
    "the interface's frames (framesz=) are larger than the receive buffers: open the port with mtuMax (network.mtu_max) as large as framesz, or give a smaller framesz",
  ],
  [
    /net_memif.*(Failed to connect socket|Failed to setup socket)/s,
    'a memif client needs its server, and a server a socket name that is free; both see `socket=` alike',
  ],
  [
    /(pcap_open|rx_pcap|net_pcap).*(No such file|Couldn't open|rx_pcap)/is,
    'the capture file to read does not exist or is none',
  ],
  [
    /(failed to parse device|Cannot find a driver|no driver found|failed to initialize|Driver cannot|ENOENT)/i,
    'no such driver: see `dpdk-net devices` for those built in, e.g. net_tap0, net_memif0, net_af_packet0, net_ring0',
  ],
  [
    /rte_dev_probe.*(EPERM|EACCES|vfio)/is,
    'bind the card to vfio-pci (`dpdk-devbind.py -b vfio-pci <address>`) and run as root',
  ],
  [
    /EFBIG/,
    'the memory of a port, heaps of all its queues included, is below 2 GiB: make heapBytes smaller',
  ],
  [/arenaCreate|ENOMEM/, 'give DPDK more memory: Eal.init({ memoryMb }) before the first device'],
];
