/* SPDX-License-Identifier: ISC */
/* What the keytab holds: services, realms, kinds of keys. */
#include "auth/gss_keytab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>

#include <krb5.h>

#include "auth/weak_key.h"
#include "base/control_request.h"
#include "base/log.h"
#include "base/text.h"

/* A principal of the keytab, in two parts: service and realm. */
struct known {
	SLIST_ENTRY(known) entry;
	char *service;
	char *realm;
};

SLIST_HEAD(known_list, known);

#define KEY_TEXT_SIZE 1200

struct gsskeytab {
	krb5_context krb5;
	char facts[CONTROL_FACTS_MAX]; /* of what is known */
	char *path;
	char *name; /* as libkrb5 wants it */
	struct known_list known;
	struct stat seen; /* the file as it was when we read it */
};

static void
free_known(struct known_list *list)
{
	struct known *known;

	while ((known = SLIST_FIRST(list)) != NULL) {
		SLIST_REMOVE_HEAD(list, entry);
		free(known->service);
		free(known->realm);
		free(known);
	}
}

static void
explain(const struct gsskeytab *keytab, krb5_error_code code, char *why,
    size_t why_size)
{
	const char *text = krb5_get_error_message(keytab->krb5, code);

	(void)snprintf(why, why_size, "the keytab %s cannot be used: %s",
	    keytab->path, text);
	krb5_free_error_message(keytab->krb5, text);
}

/* "PRINCIPAL kvno N KIND"; false if the principal is no text. */
static bool
print_key(const struct gsskeytab *keytab, const krb5_keytab_entry *key,
    char text[KEY_TEXT_SIZE])
{
	char quoted[TEXT_QUOTED_SIZE(256)], kind[64], *principal = NULL;

	if (krb5_unparse_name(keytab->krb5, key->principal, &principal) != 0)
		return false;
	if (krb5_enctype_to_name(key->key.enctype, 0, kind, sizeof(kind)) != 0)
		(void)snprintf(kind, sizeof(kind), "%d", (int)key->key.enctype);
	(void)text_quote(quoted, sizeof(quoted), principal, strlen(principal));
	krb5_free_unparsed_name(keytab->krb5, principal);
	(void)snprintf(text, KEY_TEXT_SIZE, "%s kvno %u %s", quoted,
	    (unsigned)key->vno, kind);
	return true;
}

static void
warn_of_weak_key(const struct gsskeytab *keytab, const krb5_keytab_entry *key)
{
	char text[KEY_TEXT_SIZE];

	if (print_key(keytab, key, text))
		log_warning(NULL,
		    "%s: the key %s is of a weak kind; make new keys with AES",
		    keytab->path, text);
}

/* Nothing is said when there is no room. */
static void
describe(const struct gsskeytab *keytab, const krb5_keytab_entry *key,
    char facts[CONTROL_FACTS_MAX])
{
	char text[KEY_TEXT_SIZE], date[16] = "", line[KEY_TEXT_SIZE + 24];
	time_t made = (time_t)(uint32_t)key->timestamp;
	struct tm utc;

	if (!print_key(keytab, key, text))
		return;
	if (gmtime_r(&made, &utc) != NULL)
		(void)strftime(date, sizeof(date), "%Y-%m-%d", &utc);
	(void)snprintf(line, sizeof(line), "key=%s %s\n", text, date);
	if (strlen(facts) + strlen(line) < CONTROL_FACTS_MAX)
		(void)strlcat(facts, line, CONTROL_FACTS_MAX);
}

void
gsskeytab_describe(const struct gsskeytab *keytab, char *facts, size_t size)
{
	(void)strlcpy(facts, keytab->facts, size);
}

static krb5_error_code
remember(struct known_list *list, const krb5_keytab_entry *key)
{
	const krb5_principal_data *principal = key->principal;
	struct known *known;

	if (principal->length < 1)
		return 0;
	known = calloc(1, sizeof(*known));
	if (known == NULL)
		return ENOMEM;
	SLIST_INSERT_HEAD(list, known, entry);
	known->service =
	    strndup(principal->data[0].data, principal->data[0].length);
	known->realm = strndup(principal->realm.data, principal->realm.length);
	return known->service == NULL || known->realm == NULL ? ENOMEM : 0;
}

static krb5_error_code
list_keys(struct gsskeytab *keytab, krb5_keytab handle, struct known_list *list,
    char facts[CONTROL_FACTS_MAX])
{
	krb5_keytab_entry key;
	krb5_kt_cursor cursor;
	krb5_error_code code, ended;

	code = krb5_kt_start_seq_get(keytab->krb5, handle, &cursor);
	if (code != 0)
		return code;
	while (code == 0) {
		code = krb5_kt_next_entry(keytab->krb5, handle, &key, &cursor);
		if (code != 0)
			break;
		if (is_weak_key(key.key.enctype))
			warn_of_weak_key(keytab, &key);
		describe(keytab, &key, facts);
		code = remember(list, &key);
		(void)krb5_free_keytab_entry_contents(keytab->krb5, &key);
	}
	ended = krb5_kt_end_seq_get(keytab->krb5, handle, &cursor);
	if (code == KRB5_KT_END)
		code = ended;
	if (code == 0 && SLIST_EMPTY(list))
		code = KRB5_KT_NOTFOUND;
	return code;
}

/* Replaces what is known, or leaves it alone. */
static krb5_error_code
read_keytab(struct gsskeytab *keytab)
{
	struct known_list list = SLIST_HEAD_INITIALIZER(list);
	char facts[CONTROL_FACTS_MAX] = "";
	krb5_keytab handle;
	krb5_error_code code;

	code = krb5_kt_resolve(keytab->krb5, keytab->name, &handle);
	if (code != 0)
		return code;
	code = list_keys(keytab, handle, &list, facts);
	(void)krb5_kt_close(keytab->krb5, handle);
	if (code != 0) {
		free_known(&list);
		return code;
	}
	free_known(&keytab->known);
	keytab->known = list;
	memcpy(keytab->facts, facts, sizeof(facts));
	return 0;
}

static void
warn_of_open_file(const struct gsskeytab *keytab)
{
	mode_t mode = keytab->seen.st_mode;

	if ((mode & (S_IRWXO | S_IWGRP | S_IXGRP)) != 0)
		log_warning(NULL,
		    "%s has mode %04o; whoever reads it can take the "
		    "gateway's place: make it 0400 or 0440",
		    keytab->path, (unsigned)(mode & 07777));
}

struct gsskeytab *
gsskeytab_new(const char *path, char *why, size_t why_size)
{
	struct gsskeytab *keytab = calloc(1, sizeof(*keytab));
	krb5_error_code code;

	if (keytab == NULL || krb5_init_context(&keytab->krb5) != 0) {
		(void)snprintf(why, why_size,
		    "libkrb5 could not be started; look at krb5.conf");
		free(keytab);
		return NULL;
	}
	SLIST_INIT(&keytab->known);
	keytab->path = strdup(path);
	if (asprintf(&keytab->name, "FILE:%s", path) < 0)
		keytab->name = NULL;
	if (keytab->path == NULL || keytab->name == NULL) {
		(void)snprintf(why, why_size, "%s", strerror(ENOMEM));
		gsskeytab_free(keytab);
		return NULL;
	}
	code = stat(path, &keytab->seen) < 0 ? errno : read_keytab(keytab);
	if (code != 0) {
		explain(keytab, code, why, why_size);
		gsskeytab_free(keytab);
		return NULL;
	}
	warn_of_open_file(keytab);
	return keytab;
}

void
gsskeytab_free(struct gsskeytab *keytab)
{
	if (keytab == NULL)
		return;
	free_known(&keytab->known);
	krb5_free_context(keytab->krb5);
	free(keytab->name);
	free(keytab->path);
	free(keytab);
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void
gsskeytab_refresh(struct gsskeytab *keytab)
{
	struct stat now;
	char why[512];
	krb5_error_code code;

	if (stat(keytab->path, &now) < 0 || is_same_file(&now, &keytab->seen))
		return;
	keytab->seen = now;
	code = read_keytab(keytab);
	if (code == 0) {
		log_info(NULL, "%s has changed and was read", keytab->path);
		return;
	}
	explain(keytab, code, why, sizeof(why));
	log_error(NULL, "%s", why);
}

bool
gsskeytab_has_service(const struct gsskeytab *keytab, const char *service)
{
	const struct known *known;

	SLIST_FOREACH (known, &keytab->known, entry) {
		if (strcmp(known->service, service) == 0)
			return true;
	}
	return false;
}

bool
gsskeytab_has_realm(const struct gsskeytab *keytab, const char *realm)
{
	const struct known *known;

	SLIST_FOREACH (known, &keytab->known, entry) {
		if (strcmp(known->realm, realm) == 0)
			return true;
	}
	return false;
}
