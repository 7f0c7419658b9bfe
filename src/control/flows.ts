/**
 * The flow rules of a process's devices: listed with what they counted, added and taken out.
 * @module
 */
import type { FlowCount, FlowEntry, Port } from '../dpdk/index.ts';
import type { Methods } from './server.ts';

/** A device of the process, in the thread that has opened it. */
export interface Device {
  /** What the configuration calls its port. */
  readonly name: string;
  readonly port: Port;
}

export interface FlowReport extends Pick<FlowCount, 'id' | 'where' | 'frames' | 'bytes'> {
  readonly port: string;
  /** The rule as text. */
  readonly rule: string;
}

/** Every rule, in the order in which each port asks them. */
export function flowsOf(devices: readonly Device[]): FlowReport[] {
  return devices.flatMap(({ name, port }) =>
    port.flows.list().map(({ id, text, where, frames, bytes }) => ({
      port: name,
      id,
      rule: text,
      where,
      frames,
      bytes,
    })),
  );
}

/** What changes them. `port` of the parameters names the device where there are several. */
export function flowCommands(devices: () => readonly Device[]): Methods {
  return {
    addFlow: ({ rule, port }) => {
      const device = deviceOf(devices(), port);
      const { id, text, where }: FlowEntry = device.port.flows.create(String(rule));
      return { port: device.name, id, rule: text, where, frames: 0, bytes: 0 } satisfies FlowReport;
    },
    deleteFlow: ({ id, port }) => {
      const device = deviceOf(devices(), port);
      const found = flowsOf([device]).find((flow) => flow.id === id);
      if (found === undefined) throw new Error(`port ${device.name} has no flow rule ${id}`);
      device.port.flows.destroy(found.id);
      return found;
    },
  };
}

function deviceOf(devices: readonly Device[], name: unknown): Device {
  const names = devices.map((device) => device.name).join(', ');
  if (devices.length === 0) {
    throw new Error('this process has no device; flow rules are for what a device receives');
  }
  if (name === undefined) {
    if (devices.length === 1) return devices[0]!;
    throw new Error(`there are several ports, choose one: ${names}`);
  }
  const found = devices.find((device) => device.name === name);
  if (found === undefined) throw new Error(`there is no port ${String(name)}; there is ${names}`);
  return found;
}
