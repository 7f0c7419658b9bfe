/*
 * Descriptors that EAL and the drivers open without close-on-exec: a program's child processes
 * would inherit them, and keep a TAP interface or a peer's connection alive when we are gone.
 *
 *     struct descriptors before;
 *     descriptors_note(&before);
 *     ... calls into DPDK ...
 *     descriptors_hide_new(&before);
 *
 * Those that were there before are left as they are: they may be meant to be inherited. What
 * drivers open later, in EAL's interrupt thread, is guard.c's.
 */
#ifndef DPDK_NET_DESCRIPTORS_H
#define DPDK_NET_DESCRIPTORS_H

#include <stdint.h>

/* Higher ones are left alone. */
#define DESCRIPTORS_MAX 65536

struct descriptors {
	uint64_t open[DESCRIPTORS_MAX / 64];
};

void descriptors_note(struct descriptors *now);
void descriptors_hide_new(const struct descriptors *before);

#endif
