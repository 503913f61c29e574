/* SPDX-License-Identifier: ISC */
/* What settings.c and settings_check.c share. */
#ifndef GATEWAY_SETTINGS_PRIVATE_H
#define GATEWAY_SETTINGS_PRIVATE_H

#include "gateway/settings.h"

/* The rows of settings.def: one after the other, then a listener's. */
enum settings_row {
#define S(section, name, type, member, value, min, max, reload, sentence)      \
	SETTINGS_ROW_##member,
#define L(name, type, member, value, min, max, sentence)
#include "gateway/settings.def"
#undef S
	SETTINGS_ROW_COUNT
};

enum settings_listener_row {
#define S(section, name, type, member, value, min, max, reload, sentence)
#define L(name, type, member, value, min, max, sentence)                       \
	SETTINGS_LISTENER_ROW_##member,
#include "gateway/settings.def"
#undef S
	SETTINGS_LISTENER_ROW_COUNT
};

/* Where errors go; each setting has at most one. */
struct settings_reporter {
	void (*setting)(void *arg, enum settings_row row, const char *format,
	    ...) printf_like(3, 4);
	void (*listener)(void *arg, size_t listener,
	    enum settings_listener_row row, const char *format, ...)
	    printf_like(4, 5);
	/* Of no setting: something is missing. */
	void (*missing)(void *arg, const char *format, ...) printf_like(2, 3);
	void *arg;
};

/* settings_check.c: reads a list of at most SETTINGS_NETWORKS_MAX networks;
 * NULL, or the first that is none, of which SETTINGS_NO_NETWORK tells. */
const char *settings_read_networks(const struct settings_list *list,
    struct settings_networks *networks) must_check;
#define SETTINGS_NO_NETWORK                                                    \
	"\"%s\" is no network; allowed is ADDRESS/LENGTH such as "             \
	"192.0.2.0/24, without bits behind the length"

/* settings_check_password.c: section password. */
void settings_check_password(
    struct settings *settings, const struct settings_reporter *reporter);

/* Checks what the table cannot say, and fills in what the listeners' texts
 * mean. */
void settings_check(
    struct settings *settings, const struct settings_reporter *reporter);

#endif
