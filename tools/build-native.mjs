/**
 * Builds native/build/dpdk_net.node: the addon, with DPDK and a chosen list of drivers inside.
 *
 *   node tools/build-native.mjs [--portable] [--debug] [--sanitize]
 *
 * --sanitize: with AddressSanitizer and UndefinedBehaviorSanitizer, beside the normal one, as
 * native/build/sanitized/dpdk_net.node; tools/sanitize.mjs runs the NIC tests with it.
 *
 * DPDK is linked statically, so the result needs no DPDK at run time. --portable leaves out
 * drivers that would need shared libraries of the machine (pcap, af_xdp). Exit status: 0 built (or
 * up to date), 1 failed, 2 something is not installed (it says what).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const NOT_INSTALLED = 2;
const option = (name) => process.argv.includes(`--${name}`);
const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'native/src');
const build = join(root, 'native/build', option('sanitize') ? 'sanitized' : '');
const target = join(build, 'dpdk_net.node');
/** Replaces the target at once when it is whole: programs that run keep the old one. */
const fresh = `${target}.new`;

/** Linked in whole: their constructors register them. Left out when DPDK was built without. */
const DRIVERS = [
  'bus_pci',
  'bus_vdev',
  'bus_auxiliary',
  'mempool_ring',
  'mempool_stack',
  // virtual
  'net_af_packet',
  'net_memif',
  'net_null',
  'net_ring',
  'net_tap',
  'net_vhost',
  'net_virtio',
  // clouds and common cards
  'net_ena',
  'net_vmxnet3',
  'net_e1000',
  'net_igc',
  'net_ixgbe',
  'net_i40e',
  'net_iavf',
  'net_ice',
  'common_iavf',
];
/** Drivers that need shared libraries of the machine, also at run time; not in --portable. */
const WITH_LIBRARIES = { net_pcap: ['pcap'], net_af_xdp: ['xdp', 'bpf'] };
/** What the drivers and the addon use; only what is referenced is linked. */
const LIBRARIES = [
  'ethdev',
  'eal',
  'mbuf',
  'mempool',
  'ring',
  'kvargs',
  'telemetry',
  'net',
  'meter',
  'hash',
  'rcu',
  'pci',
  'log',
  'vhost',
  'cryptodev',
  'dmadev',
  'security',
  'gso',
  'bpf',
  'timer',
  'stack',
  'argparse',
  'ptr_compress',
];
/**
 * References of an archive that are renamed to functions of ours: native/src/interrupts.c, posix.c and tap.c say why.
 */
const RENAMED = {
  eal: ['epoll_create'],
  net_memif: [
    'rte_intr_callback_register',
    'rte_intr_callback_unregister',
    'rte_intr_callback_unregister_pending',
    'close',
    'rte_free',
    'socket',
    'accept',
    'eventfd',
    'memfd_create',
    'recvmsg',
    'connect',
  ],
  net_af_packet: ['poll', 'sendto'],
  net_tap: ['rte_eal_process_type'],
};

/**
 * Functions that are ours instead, also for the callers in the same object, whose own one gets
 * another name: native/src/frame_limit.c says why.
 */
const REPLACED = { ethdev: { symbol: 'rte_eth_dev_info_get', original: 'dpdk_net_info_get' } };

function fail(status, message) {
  console.error(`build-native: ${message}`);
  process.exit(status);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) fail(NOT_INSTALLED, `'${command}' is not installed: apt-get install build-essential`);
  if (status !== 0) fail(1, `${basename(command)} failed (status ${status})`);
}

function pkgConfig(...args) {
  try {
    return execFileSync('pkg-config', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

/** DPDK's version, folder of archives and compiler flags; explains what is missing. */
function findDpdk() {
  const version = pkgConfig('--modversion', 'libdpdk');
  if (version === null) {
    fail(
      NOT_INSTALLED,
      'DPDK is not installed, so the stack has no network card; everything else works without.\n' +
        '  Debian, Ubuntu:  apt-get install build-essential pkg-config libdpdk-dev libnuma-dev libpcap-dev\n' +
        '  Fedora:          dnf install gcc pkgconf dpdk-devel numactl-devel libpcap-devel\n' +
        '  from source:     set PKG_CONFIG_PATH to the folder of its libdpdk.pc',
    );
  }
  const libraries = pkgConfig('--variable=libdir', 'libdpdk');
  if (!existsSync(join(libraries, 'librte_eal.a'))) {
    fail(
      NOT_INSTALLED,
      `DPDK ${version} in ${libraries} has no static libraries (librte_*.a): install its -dev package`,
    );
  }
  return { version, libraries, flags: pkgConfig('--cflags', 'libdpdk').split(/\s+/) };
}

function nodeHeaders() {
  const require = createRequire(join(root, 'native/package.json'));
  try {
    return require('node-api-headers').include_dir;
  } catch {
    return fail(NOT_INSTALLED, "the npm package 'node-api-headers' is not installed: npm install");
  }
}

function isUpToDate(sources) {
  if (!existsSync(target)) return false;
  const built = statSync(target).mtimeMs;
  return [...sources, fileURLToPath(import.meta.url)].every(
    (file) => statSync(file).mtimeMs < built,
  );
}

/** The archive to link for a driver or a library: DPDK's own, or a copy with renamed references. */
function archiveOf(name, libraries) {
  const original = join(libraries, `librte_${name}.a`);
  if (name in REPLACED) return replaceIn(original, name);
  if (!(name in RENAMED)) return original;
  const copy = join(build, `librte_${name}.a`);
  const renames = RENAMED[name].map(
    (symbol) => `--redefine-sym=${symbol}=dpdk_net_${symbol.replace(/^rte_/, '')}`,
  );
  run('objcopy', [...renames, original, copy]);
  return copy;
}

/** A copy of the archive in which a function is weak, and has a second name. */
function replaceIn(original, name) {
  const { symbol, original: second } = REPLACED[name];
  const copy = join(build, `librte_${name}.a`);
  const table = execFileSync('objdump', ['-t', original], { encoding: 'utf8', maxBuffer: 1 << 26 });
  let member = '';
  for (const line of table.split('\n')) {
    member = line.match(/^(\S+\.o):/)?.[1] ?? member;
    const found = line.match(/^([0-9a-f]+) g\s+F (\S+)\s+[0-9a-f]+ (?:\.hidden )?(\S+)$/);
    if (found === null || found[3] !== symbol) continue;
    const [, at, section] = found;
    copyFileSync(original, copy);
    execFileSync('ar', ['x', original, member], { cwd: build });
    const flags = [
      `--weaken-symbol=${symbol}`,
      `--add-symbol=${second}=${section}:0x${at},global,function`,
    ];
    run('objcopy', [...flags, join(build, member)]);
    run('ar', ['r', copy, join(build, member)]);
    return copy;
  }
  return fail(1, `there is no ${symbol} in ${original}`);
}

function hasLibrary(name) {
  return (
    spawnSync('cc', ['-shared', `-l${name}`, '-o', '/dev/null', '-Wl,--no-as-needed'], {
      stdio: 'ignore',
    }).status === 0
  );
}

function main() {
  const files = readdirSync(source).map((file) => join(source, file));
  const dpdk = findDpdk();
  const headers = nodeHeaders();
  const isVariant = option('portable') || option('debug');
  if (isUpToDate(files) && !isVariant) return;
  mkdirSync(build, { recursive: true });

  const drivers = [...DRIVERS];
  const system = ['numa'];
  for (const [driver, needs] of Object.entries(option('portable') ? {} : WITH_LIBRARIES)) {
    if (!needs.every(hasLibrary)) continue;
    drivers.push(driver);
    system.push(...needs);
  }
  const present = drivers.filter((name) => existsSync(join(dpdk.libraries, `librte_${name}.a`)));
  const libraries = LIBRARIES.filter((name) =>
    existsSync(join(dpdk.libraries, `librte_${name}.a`)),
  );
  const instrument = option('sanitize')
    ? ['-fsanitize=address,undefined', '-fno-sanitize=alignment', '-fno-omit-frame-pointer']
    : [];

  run('cc', [
    '-std=gnu11',
    option('debug') ? '-Og' : '-O3',
    '-g',
    '-fPIC',
    '-fvisibility=hidden',
    '-DALLOW_INTERNAL_API',
    '-DALLOW_EXPERIMENTAL_API',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-Wno-address-of-packed-member',
    ...instrument,
    '-ffunction-sections',
    ...dpdk.flags.map((flag) => flag.replace(/^-I/, '-isystem')),
    '-isystem',
    headers,
    '-shared',
    '-o',
    fresh,
    ...files.filter((file) => file.endsWith('.c')),
    '-Wl,--exclude-libs,ALL',
    '-Wl,-Bsymbolic',
    '-Wl,-z,now',
    '-Wl,--gc-sections',
    '-Wl,--whole-archive',
    ...present.map((name) => archiveOf(name, dpdk.libraries)),
    '-Wl,--no-whole-archive',
    '-Wl,--start-group',
    ...libraries.map((name) => archiveOf(name, dpdk.libraries)),
    '-Wl,--end-group',
    ...system.map((name) => `-l${name}`),
    '-lm',
    '-lpthread',
    '-ldl',
  ]);
  if (!option('debug') && !option('sanitize')) run('strip', ['--strip-unneeded', fresh]);
  renameSync(fresh, target);
  const size = (statSync(target).size / 1e6).toFixed(1);
  console.log(`${relative(root, target)}: ${size} MB, DPDK ${dpdk.version}, ${present.join(' ')}`);
}

main();
