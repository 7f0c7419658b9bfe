/*
 * Interrupt callbacks of drivers: what net_memif is linked against instead of EAL's functions.
 * tools/build-native.mjs renames the driver's references (objcopy --redefine-sym), so exactly the
 * named archive is affected and DPDK itself is not patched.
 *
 *   rte_intr_callback_register, _unregister, _unregister_pending: run under the guard (guard.h)
 *   close, rte_free: of what is still registered unregisters it first (the driver forgets it when
 *   a peer leaves while it is greeted, and for its listening socket: EAL's interrupt thread then
 *   panics, or calls back into freed memory)
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_interrupts.h>
#include <rte_malloc.h>

#include "guard.h"

/* A driver's interrupt callback and what stands in for it. */
struct guarded {
	struct guarded *next;
	const struct rte_intr_handle *handle;
	int fd;
	rte_intr_callback_fn callback;
	rte_intr_unregister_callback_fn gone;
	void *argument;
	/* Unregistered while it waited to run: its argument may be freed soon, so it must not. */
	bool dead;
	/* Nobody else will close the descriptor. */
	bool close_too;
};

/*
 * The registrations. The lock is held to look and to link, never over a call to EAL or to the
 * driver: guarded_gone() runs with EAL's interrupt lock held, and what the driver does in it
 * comes back to this list. Who unregisters takes the registration off the list first, so nobody
 * else finds it meanwhile, and puts it back should EAL refuse.
 */
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct guarded *list;

static void guarded_callback(void *argument)
{
	struct guarded *guarded = argument;

	guard_enter();
	if (!guarded->dead)
		guarded->callback(guarded->argument);
	guard_leave();
}

/*
 * Called by EAL once the callback does not run any more, with EAL's interrupt lock held: waiting
 * for the guard here could deadlock with a control call that registers. The driver only frees
 * its control channel here, which no burst uses.
 */
static void guarded_gone(struct rte_intr_handle *handle, void *argument)
{
	struct guarded *guarded = argument;

	if (guarded->gone != NULL)
		guarded->gone(handle, guarded->argument);
	if (guarded->close_too)
		close(guarded->fd);
	free(guarded);
}

static void put(struct guarded *guarded)
{
	pthread_mutex_lock(&list_lock);
	guarded->next = list;
	list = guarded;
	pthread_mutex_unlock(&list_lock);
}

/* What a registration is looked for by. */
struct wanted {
	const struct rte_intr_handle *handle;
	rte_intr_callback_fn callback;
	void *argument;
	int fd;
};

typedef bool (*matches_fn)(const struct guarded *guarded, const struct wanted *wanted);

static bool is_callback(const struct guarded *guarded, const struct wanted *wanted)
{
	return guarded->handle == wanted->handle && guarded->callback == wanted->callback &&
	       guarded->argument == wanted->argument;
}

static bool has_fd(const struct guarded *guarded, const struct wanted *wanted)
{
	return guarded->fd == wanted->fd;
}

static bool has_argument(const struct guarded *guarded, const struct wanted *wanted)
{
	return guarded->argument == wanted->argument;
}

/* Takes the first that matches off the list; NULL when there is none. */
static struct guarded *take(matches_fn matches, const struct wanted *wanted)
{
	struct guarded **link = &list, *found;

	pthread_mutex_lock(&list_lock);
	while (*link != NULL && !matches(*link, wanted))
		link = &(*link)->next;
	found = *link;
	if (found != NULL)
		*link = found->next;
	pthread_mutex_unlock(&list_lock);
	return found;
}

int dpdk_net_intr_callback_register(const struct rte_intr_handle *handle,
				    rte_intr_callback_fn callback, void *argument);
int dpdk_net_intr_callback_unregister(const struct rte_intr_handle *handle,
				      rte_intr_callback_fn callback, void *argument);
int dpdk_net_intr_callback_unregister_pending(const struct rte_intr_handle *handle,
					      rte_intr_callback_fn callback, void *argument,
					      rte_intr_unregister_callback_fn gone);
int dpdk_net_close(int fd);
void dpdk_net_free(void *memory);

int dpdk_net_intr_callback_register(const struct rte_intr_handle *handle,
				    rte_intr_callback_fn callback, void *argument)
{
	struct guarded *guarded = calloc(1, sizeof(*guarded));
	struct wanted wanted = {handle, callback, argument, -1};
	int result;

	if (guarded == NULL)
		return -ENOMEM;
	guarded->handle = handle;
	guarded->fd = rte_intr_fd_get(handle);
	guarded->callback = callback;
	guarded->argument = argument;
	/* On the list before it may run, which may unregister it. */
	put(guarded);
	result = rte_intr_callback_register(handle, guarded_callback, guarded);
	if (result < 0)
		free(take(is_callback, &wanted));
	return result;
}

int dpdk_net_intr_callback_unregister(const struct rte_intr_handle *handle,
				      rte_intr_callback_fn callback, void *argument)
{
	struct wanted wanted = {handle, callback, argument, -1};
	struct guarded *guarded = take(is_callback, &wanted);
	int result;

	if (guarded == NULL)
		return -ENOENT;
	result = rte_intr_callback_unregister(handle, guarded_callback, guarded);
	if (result > 0)
		free(guarded);
	else
		put(guarded);
	return result;
}

/*
 * Marks the registration dead and asks EAL to remove it when its callback has ended. When EAL
 * agrees it is EAL's: guarded_gone() may have freed it before this returns.
 */
static int remove_later(const struct rte_intr_handle *handle, struct guarded *guarded)
{
	int result;

	guarded->dead = true;
	result = rte_intr_callback_unregister_pending(handle, guarded_callback, guarded,
						      guarded_gone);
	if (result <= 0)
		guarded->dead = false;
	return result;
}

int dpdk_net_intr_callback_unregister_pending(const struct rte_intr_handle *handle,
					      rte_intr_callback_fn callback, void *argument,
					      rte_intr_unregister_callback_fn gone)
{
	struct wanted wanted = {handle, callback, argument, -1};
	struct guarded *guarded = take(is_callback, &wanted);
	int result;

	if (guarded == NULL)
		return -ENOENT;
	guarded->gone = gone;
	result = remove_later(handle, guarded);
	if (result <= 0)
		put(guarded);
	return result;
}

/*
 * Takes a registration back that the driver forgets, at once or when its callback has ended. The
 * driver may have freed its handle already, so a handle of our own names the descriptor. EAL says
 * EAGAIN to the one when the callback runs, to the other when it does not, and it may begin or
 * end in between: then again.
 */
static void abandon(struct guarded *guarded, bool close_too)
{
	struct rte_intr_handle *handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	int fd = guarded->fd, result;

	if (handle == NULL) {
		put(guarded);
		return;
	}
	rte_intr_fd_set(handle, fd);
	rte_intr_type_set(handle, RTE_INTR_HANDLE_EXT);
	guarded->close_too = close_too;
	do {
		result = rte_intr_callback_unregister(handle, guarded_callback, guarded);
		if (result != -EAGAIN)
			break;
		result = remove_later(handle, guarded);
		/* EAL's from now on. */
		guarded = result > 0 ? NULL : guarded;
	} while (result == -EAGAIN);
	rte_intr_instance_free(handle);
	if (guarded == NULL)
		return;
	/* Removed, or EAL did not know it: nobody will call it. */
	free(guarded);
	if (close_too)
		close(fd);
}

int dpdk_net_close(int fd)
{
	struct wanted wanted = {NULL, NULL, NULL, fd};
	struct guarded *guarded = take(has_fd, &wanted);

	if (guarded != NULL)
		abandon(guarded, false);
	return close(fd);
}

void dpdk_net_free(void *memory)
{
	struct wanted wanted = {NULL, NULL, memory, -1};
	struct guarded *guarded = memory == NULL ? NULL : take(has_argument, &wanted);

	if (guarded != NULL)
		abandon(guarded, true);
	rte_free(memory);
}
