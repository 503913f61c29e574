/* SPDX-License-Identifier: ISC */
/* What the settings say about each of the master's programs. */
#include "gateway/programs.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/must.h"
#include "gateway/capacity.h"
#include "gateway/child.h"
#include "gateway/settings.h"

static const char *
gateway_user(const struct settings *settings)
{
	return settings->gateway_user;
}

static const char *
authenticator_user(const struct settings *settings)
{
	return settings->authenticator_user;
}

static const char *
directory_user(const struct settings *settings)
{
	return settings->directory_user;
}

static const char *
auditor_user(const struct settings *settings)
{
	return settings->auditor_user;
}

static const char *
password_user(const struct settings *settings)
{
	return settings->password_user;
}

static uint32_t
one(const struct settings *settings)
{
	(void)settings;
	return 1;
}

/* Without a directory there is nobody to look up. */
static uint32_t
lookup_count(const struct settings *settings)
{
	return settings->directory_uri.count > 0 ? (uint32_t)settings->lookups
						 : 0;
}

/* Nobody asks where no listener takes passwords. */
static uint32_t
password_count(const struct settings *settings)
{
	for (size_t i = 0; i < settings->listener_count; i++) {
		const struct listener_settings *listener =
		    &settings->listeners[i];

		for (size_t m = 0; m < listener->method_count; m++) {
			if (listener->method[m] == METHOD_PASSWORD)
				return 1;
		}
	}
	return 0;
}

static const struct {
	const char *folder;
	const char *(*user)(const struct settings *settings);
	uint32_t (*count)(const struct settings *settings);
	/* It waits for the directory without serving its loop. */
	bool may_block;
} rows[ROLE_COUNT] = {
    [ROLE_GATEWAY] = {"gateway", gateway_user, one, false},
    [ROLE_AUTHENTICATOR] = {"authenticator", authenticator_user,
	capacity_authenticators, false},
    [ROLE_DIRECTORY_WATCH] = {"directory", directory_user, one, true},
    [ROLE_DIRECTORY_LOOKUP] = {"directory", directory_user, lookup_count, true},
    [ROLE_AUDITOR] = {"auditor", auditor_user, one, false},
    [ROLE_PASSWORD_CHECKER] = {"password", password_user, password_count,
	false},
};

uint32_t
programs_count(enum role role, const struct settings *settings)
{
	return rows[role].count != NULL ? rows[role].count(settings) : 0;
}

const char *
programs_restart_needed(const struct settings *now, const struct settings *next)
{
	/* Of the numbers only this one comes from settings that a reload
	 * takes; one checker too many does no harm. */
	return password_count(now) < password_count(next)
		   ? "the first listener with passwords"
		   : NULL;
}

const char *
programs_user(enum role role, const struct settings *settings)
{
	must(rows[role].user != NULL);
	return rows[role].user(settings);
}

/* A program that may block does so for three times the directory's timeout,
 * with each server. */
unsigned
programs_hang_ms(enum role role, const struct settings *settings)
{
	uint64_t servers = settings->directory_uri.count + 1;
	uint64_t blocked_ms = settings->directory_timeout * 3000 * servers;

	return CHILD_HANG_MS +
	       (rows[role].may_block ? (unsigned)blocked_ms : 0);
}

char *
programs_path(enum role role, const char *libexecdir)
{
	char *path = NULL;

	if (asprintf(&path, "%s/gatewarden-%s", libexecdir, role_name(role)) <
	    0)
		die("out of memory");
	return path;
}

char *
programs_folder(enum role role, const struct settings *settings)
{
	char *path = NULL;

	must(rows[role].folder != NULL);
	if (asprintf(&path, "%s/%s", settings->state_dir, rows[role].folder) <
	    0)
		die("out of memory");
	return path;
}
