/*
 * What the tap driver is told about processes (tap.c).
 */
#ifndef DPDK_NET_TAP_H
#define DPDK_NET_TAP_H

#include <stdbool.h>

/* Around rte_eth_dev_start: there are no other processes to tell of it. */
void tap_starts(bool starts);

#endif
