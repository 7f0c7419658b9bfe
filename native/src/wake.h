/*
 * Waking a worker that sleeps: by its device's receive interrupt, by a frame that another queue
 * hands over, by another thread that says so.
 *
 * One thread of the process waits for all of them (epoll) and calls back into the worker's event
 * loop through Node-API's thread-safe functions, so any runtime will do.
 */
#ifndef DPDK_NET_WAKE_H
#define DPDK_NET_WAKE_H

#include "js.h"

struct wake;

/* Wakes the sleeper, if it sleeps; `wake` may be NULL. From any thread; costs a load if awake. */
void wake_ring(struct wake *wake);
/* The worker is busy again: nobody needs to wake it. */
void wake_up(struct wake *wake);
/* Says that the worker is about to sleep: then it must look once more for work of its own. */
void wake_sleep(struct wake *wake);

/* A sleeper for a queue's worker; `fd`: the receive interrupt, -1: none. Throws, returns NULL. */
struct wake *wake_open(napi_env env, napi_value callback, int fd, bool drain);
void wake_close(struct wake *wake);

#endif
