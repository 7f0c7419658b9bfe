/*
 * The guard: lets drivers change what a burst in another thread may be using.
 *
 * DPDK's memif driver unmaps and frees the rings in its control thread when the peer leaves,
 * while a burst may be reading them. So its control callbacks, and our own control calls, run
 * inside guard_enter()/guard_leave(), which waits until no guarded queue is in a burst and keeps
 * new bursts out: a burst that finds guard_pending() does nothing and comes back later. The cost
 * for a burst is one atomic exchange; a poller never waits.
 */
#ifndef DPDK_NET_GUARD_H
#define DPDK_NET_GUARD_H

#include <stdbool.h>

void guard_enter(void);
void guard_leave(void);
/* True while control code runs or waits. Read after the queue has been marked busy. */
bool guard_pending(void);

#endif
