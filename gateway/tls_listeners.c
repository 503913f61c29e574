/* SPDX-License-Identifier: ISC */
/* What TLS each listener speaks. */
#include "gateway/tls_listeners.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/secret.h"
#include "gateway/papers.h"
#include "gateway/settings.h"
#include "relay/tls_context.h"

struct tls_listener {
	SLIST_ENTRY(tls_listener) entry;
	char name[LISTENER_NAME_SIZE];
	struct secret *texts[TLS_FILE_COUNT]; /* until the context is made */
	char *places[TLS_FILE_COUNT];
	struct tls_context *context;
};

struct tls_listeners {
	atomic_uint references;
	SLIST_HEAD(, tls_listener) list;
};

struct tls_listeners *
tls_listeners_new(void)
{
	struct tls_listeners *set = must_alloc(1, sizeof(*set));

	atomic_init(&set->references, 1);
	SLIST_INIT(&set->list);
	return set;
}

struct tls_listeners *
tls_listeners_ref(struct tls_listeners *set)
{
	if (set != NULL)
		atomic_fetch_add(&set->references, 1);
	return set;
}

static void
wipe_texts(struct tls_listener *listener)
{
	for (size_t i = 0; i < TLS_FILE_COUNT; i++) {
		secret_free(listener->texts[i]);
		listener->texts[i] = NULL;
	}
}

void
tls_listeners_unref(struct tls_listeners *set)
{
	struct tls_listener *listener;

	if (set == NULL || atomic_fetch_sub(&set->references, 1) > 1)
		return;
	while ((listener = SLIST_FIRST(&set->list)) != NULL) {
		SLIST_REMOVE_HEAD(&set->list, entry);
		wipe_texts(listener);
		for (size_t i = 0; i < TLS_FILE_COUNT; i++)
			free(listener->places[i]);
		tls_context_free(listener->context);
		free(listener);
	}
	free(set);
}

static struct tls_listener *
find(const struct tls_listeners *set, const char *name)
{
	struct tls_listener *listener;

	SLIST_FOREACH (listener, &set->list, entry)
		if (strcmp(listener->name, name) == 0)
			return listener;
	return NULL;
}

static struct tls_listener *
find_or_add(struct tls_listeners *set, const char *name)
{
	struct tls_listener *listener = find(set, name);

	if (listener == NULL) {
		listener = must_alloc(1, sizeof(*listener));
		(void)strlcpy(listener->name, name, sizeof(listener->name));
		SLIST_INSERT_HEAD(&set->list, listener, entry);
	}
	return listener;
}

void
tls_listeners_add(struct tls_listeners *set, const char *name, int fd)
{
	char *copy = must_strdup(name), *rest = copy;
	const char *kind = strsep(&rest, " ");
	const char *listener_name = rest != NULL ? strsep(&rest, " ") : "";
	struct tls_listener *listener = find_or_add(set, listener_name);

	for (enum tls_file f = 0; f < TLS_FILE_COUNT; f++) {
		if (strcmp(kind, tls_file_name(f)) != 0)
			continue;
		/* What cannot be read is missing when the set is made. */
		secret_free(listener->texts[f]);
		listener->texts[f] = secret_read_all(fd, PAPER_MAX);
		free(listener->places[f]);
		listener->places[f] = must_strdup(rest != NULL ? rest : "?");
	}
	(void)close(fd);
	free(copy);
}

struct tls_context *
tls_listeners_context(const struct listener_settings *listener,
    struct secret *const *texts, const char *const *places, char *why,
    char *stale, size_t size)
{
	struct tls_text files[TLS_FILE_COUNT] = {{NULL, 0}};
	enum tls_file wrong = TLS_CERTIFICATE;
	struct tls_context *context;
	char what[TLS_LISTENERS_WHY_SIZE / 2] = "";

	for (size_t i = 0; i < TLS_FILE_COUNT; i++)
		if (texts[i] != NULL)
			files[i] =
			    (struct tls_text){texts[i]->data, texts[i]->len};
	stale[0] = '\0';
	context =
	    tls_context_new(files, strcmp(listener->tls_minimum, "1.3") == 0,
		&wrong, what, sizeof(what));
	if (context != NULL &&
	    tls_context_is_current(context, what, sizeof(what)))
		return context;
	(void)snprintf(context == NULL ? why : stale, size,
	    "%s: listener.%s: %s: %s",
	    places[wrong] != NULL ? places[wrong] : "?", tls_file_name(wrong),
	    settings_tls_path(listener, wrong), what);
	return context;
}

/* A file that the settings name must have come. */
static bool
is_complete(
    const struct listener_settings *settings, const struct tls_listener *have)
{
	for (enum tls_file f = 0; f < TLS_FILE_COUNT; f++)
		if (*settings_tls_path(settings, f) != '\0' &&
		    have->texts[f] == NULL)
			return false;
	return true;
}

static bool
make(struct tls_listeners *set, const struct listener_settings *settings,
    char *why, size_t why_size)
{
	struct tls_listener *listener = find_or_add(set, settings->name);
	char reason[TLS_LISTENERS_WHY_SIZE] = "", stale[sizeof(reason)];

	if (!is_complete(settings, listener)) {
		(void)snprintf(why, why_size,
		    "listener %s: a file of its TLS did not come",
		    settings->name);
		return false;
	}
	listener->context = tls_listeners_context(settings, listener->texts,
	    (const char *const *)listener->places, reason, stale,
	    sizeof(reason));
	wipe_texts(listener);
	if (listener->context == NULL)
		(void)strlcpy(why, reason, why_size);
	else if (stale[0] != '\0')
		log_warning(NULL, "%s", stale);
	return listener->context != NULL;
}

bool
tls_listeners_make(struct tls_listeners *set, const struct settings *settings,
    char *why, size_t why_size)
{
	for (size_t n = 0; n < settings->listener_count; n++)
		if (*settings->listeners[n].tls_certificate != '\0' &&
		    !make(set, &settings->listeners[n], why, why_size))
			return false;
	return true;
}

const struct tls_context *
tls_listeners_find(const struct tls_listeners *set, const char *name)
{
	const struct tls_listener *listener =
	    set != NULL ? find(set, name) : NULL;

	return listener != NULL ? listener->context : NULL;
}
