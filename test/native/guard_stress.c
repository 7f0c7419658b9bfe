/*
 * interrupts.c between an EAL of our own, with EAL's rules, and a driver that behaves as memif does:
 * two threads register, unregister, close and forget. Built with the thread sanitizer, which
 * reports locks taken in both orders, races, and memory used after it was freed.
 *
 *     guard-stress ROUNDS      prints what was done; the sanitizer sets the exit status
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_interrupts.h>
#include <rte_malloc.h>

#include "guard.h"
#include "queue.h"

int dpdk_net_intr_callback_register(const struct rte_intr_handle *handle,
				    rte_intr_callback_fn callback, void *argument);
int dpdk_net_intr_callback_unregister(const struct rte_intr_handle *handle,
				      rte_intr_callback_fn callback, void *argument);
int dpdk_net_intr_callback_unregister_pending(const struct rte_intr_handle *handle,
					      rte_intr_callback_fn callback, void *argument,
					      rte_intr_unregister_callback_fn gone);
int dpdk_net_close(int fd);
void dpdk_net_free(void *memory);

/* --- EAL ------------------------------------------------------------------------------- */

/* Known by its descriptor, like the real one; a driver may free it while it is registered. */
struct rte_intr_handle {
	int fd;
};

struct source {
	struct source *next;
	int fd;
	rte_intr_callback_fn callback;
	void *argument;
	bool active, pending;
	rte_intr_unregister_callback_fn gone;
};

static pthread_mutex_t intr_lock = PTHREAD_MUTEX_INITIALIZER;
static struct source *sources;
static bool ended;

int rte_intr_fd_get(const struct rte_intr_handle *handle)
{
	return handle->fd;
}

int rte_intr_fd_set(struct rte_intr_handle *handle, int fd)
{
	handle->fd = fd;
	return 0;
}

int rte_intr_type_set(struct rte_intr_handle *handle, enum rte_intr_handle_type type)
{
	(void)handle;
	(void)type;
	return 0;
}

struct rte_intr_handle *rte_intr_instance_alloc(uint32_t flags)
{
	(void)flags;
	return calloc(1, sizeof(struct rte_intr_handle));
}

void rte_intr_instance_free(struct rte_intr_handle *handle)
{
	free(handle);
}

void rte_free(void *memory)
{
	free(memory);
}

int rte_intr_callback_register(const struct rte_intr_handle *handle, rte_intr_callback_fn callback,
			       void *argument)
{
	struct source *source = calloc(1, sizeof(*source));

	source->fd = handle->fd;
	source->callback = callback;
	source->argument = argument;
	pthread_mutex_lock(&intr_lock);
	source->next = sources;
	sources = source;
	pthread_mutex_unlock(&intr_lock);
	return 0;
}

/* With the lock held. */
static struct source **find(int fd, void *argument)
{
	struct source **link = &sources;

	while (*link != NULL && ((*link)->fd != fd || (*link)->argument != argument))
		link = &(*link)->next;
	return link;
}

int rte_intr_callback_unregister(const struct rte_intr_handle *handle,
				 rte_intr_callback_fn callback, void *argument)
{
	struct source **link, *source;
	int result = -ENOENT;

	(void)callback;
	pthread_mutex_lock(&intr_lock);
	link = find(handle->fd, argument);
	source = *link;
	if (source != NULL && source->active) {
		result = -EAGAIN;
	} else if (source != NULL) {
		*link = source->next;
		free(source);
		result = 1;
	}
	pthread_mutex_unlock(&intr_lock);
	return result;
}

int rte_intr_callback_unregister_pending(const struct rte_intr_handle *handle,
					 rte_intr_callback_fn callback, void *argument,
					 rte_intr_unregister_callback_fn gone)
{
	struct source *source;
	int result = -ENOENT;

	(void)callback;
	pthread_mutex_lock(&intr_lock);
	source = *find(handle->fd, argument);
	if (source != NULL && !source->active) {
		result = -EAGAIN;
	} else if (source != NULL) {
		source->pending = true;
		source->gone = gone;
		result = 1;
	}
	pthread_mutex_unlock(&intr_lock);
	return result;
}

/* Runs every callback again and again; only the callback itself without the lock. */
static void *interrupt_thread(void *nothing)
{
	pthread_mutex_lock(&intr_lock);
	while (!ended || sources != NULL) {
		struct source **link = &sources, *source = sources;

		if (source == NULL) {
			pthread_mutex_unlock(&intr_lock);
			usleep(1);
			pthread_mutex_lock(&intr_lock);
			continue;
		}
		while (source->next != NULL && rand() % 2 == 0)
			source = source->next;
		source->active = true;
		pthread_mutex_unlock(&intr_lock);
		source->callback(source->argument);
		/* The other thread waits for the same locks. */
		usleep(1);
		pthread_mutex_lock(&intr_lock);
		source->active = false;
		if (!source->pending)
			continue;
		link = find(source->fd, source->argument);
		*link = source->next;
		if (source->gone != NULL)
			source->gone(NULL, source->argument);
		free(source);
	}
	pthread_mutex_unlock(&intr_lock);
	return nothing;
}

/* --- the driver ------------------------------------------------------------------------ */

/* A control channel, as memif has one for each peer. */
struct channel {
	struct rte_intr_handle *handle;
	bool leaving;
};

static int done[4];

bool queue_any_busy(void)
{
	return false;
}

/* With EAL's lock held, as memif's: it closes and frees. */
static void channel_gone(struct rte_intr_handle *nothing, void *argument)
{
	struct channel *channel = argument;

	(void)nothing;
	dpdk_net_close(channel->handle->fd);
	rte_intr_instance_free(channel->handle);
	dpdk_net_free(channel);
}

static void leave(struct channel *channel, void (*callback)(void *))
{
	if (channel->leaving)
		return;
	channel->leaving = true;
	if (dpdk_net_intr_callback_unregister(channel->handle, callback, channel) > 0)
		channel_gone(NULL, channel);
	else if (dpdk_net_intr_callback_unregister_pending(channel->handle, callback, channel,
							   channel_gone) <= 0)
		channel->leaving = false;
}

/* In the interrupt thread, in the guard: the peer says something, leaves, or is forgotten. */
static void channel_event(void *argument)
{
	struct channel *channel = argument;

	switch (rand() % 4) {
	case 0:
		done[0]++;
		leave(channel, channel_event);
		break;
	case 1:
		done[1]++;
		if (channel->leaving)
			break;
		/* Forgotten: closed and freed, never unregistered. */
		dpdk_net_close(channel->handle->fd);
		rte_intr_instance_free(channel->handle);
		dpdk_net_free(channel);
		break;
	default:
		break;
	}
}

static struct channel *channel_open(void)
{
	struct channel *channel = calloc(1, sizeof(*channel));

	channel->handle = rte_intr_instance_alloc(0);
	rte_intr_fd_set(channel->handle, dup(0));
	dpdk_net_intr_callback_register(channel->handle, channel_event, channel);
	return channel;
}

int main(int count, char **arguments)
{
	int rounds = count > 1 ? atoi(arguments[1]) : 1000;
	pthread_t thread;

	pthread_create(&thread, NULL, interrupt_thread, NULL);
	for (int i = 0; i < rounds; i++) {
		struct channel *channel;

		/* A control call. */
		guard_enter();
		channel = channel_open();
		if (i % 3 == 0) {
			done[2]++;
			leave(channel, channel_event);
		} else if (i % 3 == 1) {
			done[3]++;
			dpdk_net_close(channel->handle->fd);
			rte_intr_instance_free(channel->handle);
			dpdk_net_free(channel);
		}
		guard_leave();
	}
	pthread_mutex_lock(&intr_lock);
	ended = true;
	pthread_mutex_unlock(&intr_lock);
	pthread_join(thread, NULL);
	printf("left %d, forgot %d in the interrupt thread; left %d, forgot %d in control calls\n",
	       done[0], done[1], done[2], done[3]);
	return 0;
}
