/* SPDX-License-Identifier: ISC */
/* A time zone of the tz database, by GLib: libc knows one zone a process. */
#include "policy/zone.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

#define NAME_MAX_LEN 64

/* A struct zone is a GTimeZone. */
static GTimeZone *
glib_zone(const struct zone *zone)
{
	return (GTimeZone *)(uintptr_t)zone;
}

/* GLib takes rules, offsets and paths besides names: no digit without a
 * slash, and no dot, keep them out. */
static bool
is_name(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz_";
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_LEN || strchr(letters, name[0]) == NULL)
		return false;
	if (strspn(name, letters) == len)
		return true;
	return strchr(name, '/') != NULL && name[len - 1] != '/' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz0123456789_+-/") == len;
}

struct zone *
zone_new(const char *name)
{
	return is_name(name) ? (struct zone *)g_time_zone_new_identifier(name)
			     : NULL;
}

void
zone_free(struct zone *zone)
{
	if (zone != NULL)
		g_time_zone_unref(glib_zone(zone));
}

int64_t
zone_offset(const struct zone *zone, int64_t at)
{
	GTimeZone *tz = glib_zone(zone);

	return g_time_zone_get_offset(
	    tz, g_time_zone_find_interval(tz, G_TIME_TYPE_UNIVERSAL, at));
}

int64_t
zone_next_shift(const struct zone *zone, int64_t from, int64_t until)
{
	int64_t offset = zone_offset(zone, from);

	if (zone_offset(zone, until) == offset)
		return until;
	while (until - from > 1) {
		int64_t middle = from + (until - from) / 2;

		if (zone_offset(zone, middle) == offset)
			from = middle;
		else
			until = middle;
	}
	return until;
}

int
zone_compare(const struct zone *a, const struct zone *b)
{
	return strcmp(g_time_zone_get_identifier(glib_zone(a)),
	    g_time_zone_get_identifier(glib_zone(b)));
}
