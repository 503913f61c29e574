/* SPDX-License-Identifier: ISC */
/*
 * The settings file, read, checked and held immutable.
 *
 * libconfuse does the reading; what it does silently (environment
 * variables, octal numbers, duplicate keys) is refused.  --print-config is a
 * settings file itself: the master hands it to the gateway in this form.
 */
#ifndef GATEWAY_SETTINGS_H
#define GATEWAY_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/method.h"
#include "base/protection.h"
#include "base/request.h"
#include "relay/tls_context.h"

struct settings_list {
	size_t count;
	char **texts;
};

#define SETTINGS_TYPE_NUMBER uint64_t
#define SETTINGS_TYPE_BOOL   bool
#define SETTINGS_TYPE_TEXT   char *
#define SETTINGS_TYPE_LIST   struct settings_list

/* A LIST of networks, read. */
#define SETTINGS_NETWORKS_MAX 64
struct settings_networks {
	size_t count;
	struct network networks[SETTINGS_NETWORKS_MAX];
};

/* Is the address in one of them? */
bool settings_networks_have(
    const struct settings_networks *networks, const struct address *address);

struct settings;

/* Has the directory to say of every client whether its account is good? */
bool settings_check_accounts(const struct settings *settings);

struct listener_settings {
	char name[LISTENER_NAME_SIZE];
	struct socket_address bind;
	/* In the order in which we choose. */
	size_t method_count;
	enum method method[METHOD_COUNT];
	enum protection minimum, maximum;
	struct settings_networks nec_networks;
	struct settings_networks balancers;   /* of proxy_from */
	struct address udp_advertise_address; /* ADDRESS_NONE: our own */
	/* "file:line" of each file that TLS is made of; NULL: not set. */
	char *tls_places[TLS_FILE_COUNT];
	/* As written. */
#define S(section, name, type, member, value, min, max, reload, sentence)
#define L(name, type, member, value, min, max, sentence)                       \
	SETTINGS_TYPE_##type member;
#include "gateway/settings.def"
#undef S
};

/* The path of one of the files that its TLS is made of; "": not set. */
const char *
settings_tls_path(const struct listener_settings *listener, enum tls_file file);

struct settings {
	struct settings_networks cleartext_networks; /* for passwords */
#define S(section, name, type, member, value, min, max, reload, sentence)      \
	SETTINGS_TYPE_##type member;
#include "gateway/settings.def"
#undef S
	size_t listener_count;
	struct listener_settings *listeners;
};

/*
 * Reads `path` and the *.conf files of `path`.d in the order of their names.
 * NULL after one line "file:line: what is wrong and what is allowed" for
 * each error on `errors`.
 */
struct settings *settings_load(const char *path, FILE *errors) must_check;

/* Reads one file from a descriptor, from its start (what settings_print
 * wrote). */
struct settings *
settings_load_fd(int fd, const char *called, FILE *errors) must_check;

/* The listeners' ports, listener_count of them; the caller frees. */
uint16_t *settings_ports(const struct settings *settings) must_check;

/* The effective settings, as a settings file. */
void settings_print(const struct settings *settings, FILE *out);

/* Names the first START setting in which they differ, or NULL. */
const char *settings_restart_needed(
    const struct settings *now, const struct settings *next);

struct settings *settings_ref(struct settings *settings);
void settings_unref(struct settings *settings);

#endif
