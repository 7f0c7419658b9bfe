/*
 * The ArrayBuffers that show an arena, one per worker.
 */
#include <pthread.h>
#include <stdlib.h>

#include "arena.h"
#include "errors.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * One ArrayBuffer. It holds its reference until it is detached (arenaUnwrap), or until the
 * runtime finalizes it, whichever is first: JavaScript can reach the memory no longer.
 */
struct wrap {
	struct wrap *next;
	struct arena *arena;
	napi_env env;
};

static struct wrap *wraps;

/* Takes the wrap of that arena and worker out of the list; NULL when there is none. */
static struct wrap *take_wrap(const struct arena *arena, napi_env env)
{
	struct wrap **link = &wraps, *wrap;

	pthread_mutex_lock(&lock);
	while (*link != NULL && ((*link)->arena != arena || (*link)->env != env))
		link = &(*link)->next;
	wrap = *link;
	if (wrap != NULL)
		*link = wrap->next;
	pthread_mutex_unlock(&lock);
	return wrap;
}

static bool has_wrap(const struct arena *arena, napi_env env)
{
	struct wrap *wrap;

	pthread_mutex_lock(&lock);
	wrap = wraps;
	while (wrap != NULL && (wrap->arena != arena || wrap->env != env))
		wrap = wrap->next;
	pthread_mutex_unlock(&lock);
	return wrap != NULL;
}

static void unwrap(const struct arena *arena, napi_env env)
{
	struct wrap *wrap = take_wrap(arena, env);

	if (wrap != NULL) {
		arena_release(wrap->arena);
		free(wrap);
	}
}

/* `hint` is only compared: the arena may be gone already. */
static void finalize(napi_env env, void *data, void *hint)
{
	(void)data;
	unwrap(hint, env);
}

/* arenaWrap(id) -> an ArrayBuffer for the calling worker, which may have one at a time */
napi_value arena_wrap(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS], buffer;
	struct arena *arena;
	struct wrap *wrap;

	js_arguments(env, info, argv);
	arena = arena_find(js_to_int(env, argv[0], -1));
	if (arena == NULL)
		return throw_misuse(env, "EBADF", "arenaWrap: no such arena");
	wrap = has_wrap(arena, env) ? NULL : calloc(1, sizeof(*wrap));
	if (wrap == NULL)
		return throw_misuse(env, "EEXIST", "arenaWrap: this worker has its ArrayBuffer");
	wrap->arena = arena;
	wrap->env = env;
	arena_hold(arena);
	pthread_mutex_lock(&lock);
	wrap->next = wraps;
	wraps = wrap;
	pthread_mutex_unlock(&lock);
	if (napi_create_external_arraybuffer(env, arena->base, arena->size, finalize, arena,
					     &buffer) != napi_ok) {
		unwrap(arena, env);
		return throw_misuse(env, "ENOTSUP", "this runtime has no external ArrayBuffers");
	}
	return buffer;
}

/* arenaUnwrap(id, buffer): detaches it, so that no view of it can reach the memory any more */
napi_value arena_unwrap(napi_env env, napi_callback_info info)
{
	napi_value argv[MAX_ARGUMENTS];
	bool detached = false;

	js_arguments(env, info, argv);
	napi_detach_arraybuffer(env, argv[1]);
	napi_is_detached_arraybuffer(env, argv[1], &detached);
	if (detached)
		unwrap(arena_find(js_to_int(env, argv[0], -1)), env);
	return js_undefined(env);
}
