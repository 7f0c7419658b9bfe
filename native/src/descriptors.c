/*
 * Close-on-exec for what EAL and the drivers open (descriptors.h).
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "descriptors.h"

/* Calls `act` for each open descriptor below DESCRIPTORS_MAX. */
static void each(void (*act)(int fd, void *argument), void *argument)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL) {
		long fd = entry->d_name[0] == '.' ? -1 : strtol(entry->d_name, NULL, 10);

		if (fd >= 0 && fd < DESCRIPTORS_MAX && fd != dirfd(folder))
			act((int)fd, argument);
	}
	closedir(folder);
}

static void note(int fd, void *now)
{
	((struct descriptors *)now)->open[fd / 64] |= 1ull << fd % 64;
}

static void hide(int fd, void *argument)
{
	const struct descriptors *before = argument;
	int flags;

	if ((before->open[fd / 64] >> fd % 64 & 1) != 0)
		return;
	flags = fcntl(fd, F_GETFD);
	if (flags >= 0 && (flags & FD_CLOEXEC) == 0)
		fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

void descriptors_note(struct descriptors *now)
{
	memset(now, 0, sizeof(*now));
	each(note, now);
}

void descriptors_hide_new(const struct descriptors *before)
{
	each(hide, (void *)(uintptr_t)before);
}
