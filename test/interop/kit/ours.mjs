/**
 * Our stack over a DPDK device, for a test to hold on to: one process, one device, one stack.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { Address, Prefix } from '../../../dist/base/address.js';
import { openPort } from '../../../dist/dpdk/index.js';
import { captureLink } from '../../../dist/link/capture.js';
import { FaultLink } from '../../../dist/link/fault.js';
import { drain } from '../../../dist/runtime/drain.js';
import { nowMicros } from '../../../dist/runtime/now.js';
import { PollLoop } from '../../../dist/runtime/poll-loop.js';
import { configureHostSide } from '../../../dist/runtime/tap.js';
import { createStack } from '../../../dist/stack/stack.js';
import { Conversation, Listening } from './conversation.mjs';

/** The two ends of the wire, as `npm start` has them. */
export const OURS = { 4: '10.77.0.2', 6: 'fd77::2' };
export const THEIRS = { 4: '10.77.0.1', 6: 'fd77::1' };
export const INTERFACE = 'dtap0';

/** For the frames that links hold of their own. */
const HEAP_BYTES = 64 << 20;
const LINK_BYTES = 32 << 20;

export class Ours {
  #capture = -1;

  /**
   * @param options.device    a DPDK device; default a TAP device whose other end is configured
   * @param options.mtu       of the device
   * @param options.port      further options of openPort()
   * @param options.faults    { out, in } for a FaultLink around the device
   * @param options.tcp       options of the stack's TCP
   * @param options.capture   the file that frames are written to
   * @param options.addresses of the stack, with their prefixes
   */
  constructor(options = {}) {
    const device = options.device ?? `net_tap0,iface=${INTERFACE}`;
    const { mtu } = options;
    this.port = openPort({
      device,
      heapBytes: HEAP_BYTES + LINK_BYTES,
      // Faults happen to frames as they are on the wire.
      join: options.faults === undefined,
      ...(mtu === undefined ? {} : { mtu }),
      ...options.port,
    });
    this.link = this.port.links[0];
    if (device.startsWith('net_tap')) {
      const theirs = [Prefix.parse(`${THEIRS[4]}/24`)];
      // Below 1,280 bytes the kernel has no IPv6.
      if (this.link.mtu >= 1280) theirs.push(Prefix.parse(`${THEIRS[6]}/64`));
      configureHostSide(INTERFACE, theirs, this.link.mac);
    }
    this.faulty = null;
    const link = this.#wrap(options);
    this.stack = createStack({
      arena: this.link.arena,
      heapBytes: HEAP_BYTES,
      random: () => randomBytes(4).readInt32LE(),
      tcp: options.tcp ?? {},
    });
    const addresses = options.addresses ?? [`${OURS[4]}/24`, `${OURS[6]}/64`];
    this.nic = this.stack.attach(link, { addresses: addresses.map((text) => Prefix.parse(text)) });
    this.loop = new PollLoop(this.stack, {});
    this.loop.start();
    this.loop.hold();
  }

  #wrap({ faults, capture }) {
    let link = this.link;
    if (faults !== undefined) {
      this.faulty = new FaultLink(link, { seed: 7, now: nowMicros, ...faults });
      link = this.faulty;
    }
    if (capture !== undefined) {
      this.#capture = openSync(capture, 'w');
      const epoch = Date.now() * 1000 - nowMicros();
      const to = (bytes) => writeSync(this.#capture, bytes);
      link = captureLink(link, { to, now: () => epoch + nowMicros() });
    }
    return link;
  }

  /** Everything that is not ours goes to `gateway`. */
  routeAll(gateway) {
    const all = gateway.includes(':') ? '::/0' : '0.0.0.0/0';
    this.stack.addRoute(Prefix.parse(all), Address.parse(gateway), this.nic);
  }

  /** Resolves when it is established; rejects with the socket's error. */
  async connect(address, port, options = {}) {
    const socket = this.stack.tcp.connect({ address: Address.parse(address), port, ...options });
    const conversation = new Conversation(socket, this.loop);
    await conversation.established();
    return conversation;
  }

  listen(port, options = {}) {
    const listener = this.stack.tcp.listen({ address: null, port, ...options });
    return new Listening(listener, this.loop);
  }

  /**
   * Ends everything and gives what is left: all of it zero, or something leaks. Connections get
   * FIN, and RST after `deadlineMs`.
   */
  close(deadlineMs) {
    this.loop.release();
    this.loop.stop();
    const { left } = drain(this.stack, deadlineMs);
    this.port.device.detach();
    const slots = this.port.usage().reduce((sum, { inUse }) => sum + inUse, 0);
    this.port.close();
    if (this.#capture >= 0) closeSync(this.#capture);
    return { ...left, slots };
  }
}

/** What Ours.close() gives when nothing leaks. */
export const NOTHING = { connections: 0, timers: 0, heapBytes: 0, slots: 0 };
