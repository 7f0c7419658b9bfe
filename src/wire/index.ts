/**
 * The public door `dpdk-net/wire`: packet formats as named accessors over a DataView.
 * @module
 */
export * as Arp from './arp.ts';
export * as Checksum from './checksum.ts';
export * as Ethernet from './ethernet.ts';
export * as Icmpv4 from './icmpv4.ts';
export * as Icmpv6 from './icmpv6.ts';
export * as Igmp from './igmp.ts';
export * as Ipv4 from './ipv4.ts';
export * as Ipv6 from './ipv6.ts';
export * as Mac from './mac.ts';
export * as Mld from './mld.ts';
export * as Tcp from './tcp.ts';
export * as TcpOptions from './tcp-options.ts';
export * as Udp from './udp.ts';
