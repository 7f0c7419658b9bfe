/*
 * The parts of one queue. The callers hold the table's lock, or have entered the queue.
 */
#ifndef DPDK_NET_QUEUE_PARTS_H
#define DPDK_NET_QUEUE_PARTS_H

#include "queue.h"

/* Fills in a queue from the options of queueOpen(); false when they name what is not there. */
bool queue_prepare(napi_env env, struct queue *queue, napi_value options, struct arena *arena);
/* Frees what queue_prepare() made. */
void queue_discard(struct queue *queue);
/* Empties a ring that would outlive the pools of the mbufs in it. */
void queue_drain(struct queue *queue);
/* Sets or takes away who is woken. */
void queue_set_wake(struct queue *queue, struct wake *wake);
/* Gives every mbuf that the queue, its ring or the stack above holds back to its pool. */
void queue_give_back(struct queue *queue);

#endif
