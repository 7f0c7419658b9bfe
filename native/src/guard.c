/*
 * The guard itself; interrupts.c and posix.c are what drivers are linked against.
 */
#include <pthread.h>
#include <sched.h>

#include "guard.h"
#include "queue.h"

static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER;
static int pending;

void guard_enter(void)
{
	pthread_mutex_lock(&control);
	__atomic_store_n(&pending, 1, __ATOMIC_SEQ_CST);
	while (queue_any_busy())
		sched_yield();
}

void guard_leave(void)
{
	__atomic_store_n(&pending, 0, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&control);
}

bool guard_pending(void)
{
	return __atomic_load_n(&pending, __ATOMIC_SEQ_CST) != 0;
}
