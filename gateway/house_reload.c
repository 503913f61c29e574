/* SPDX-License-Identifier: ISC */
/* New settings for the whole house, taken by all programs or by none. */
#include "gateway/house_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gateway/listeners.h"
#include "gateway/notify.h"
#include "gateway/plan.h"
#include "gateway/programs.h"
#include "gateway/settings.h"

#define RELOAD_LIMIT_S 30

static void
refuse_reload(struct house *house, const char *why)
{
	char by[HOUSE_ASKED_BY_SIZE];

	log_error(
	    NULL, "the reload is refused, the old settings stay: %s", why);
	house_record(house, AUDIT_RELOAD, true,
	    "settings refused (asked by %s): %s", house_asked_by(house, by),
	    why);
	house_asked_tell(house, false, why);
	notify_ready("Running; the last reload was refused");
}

/* Text of several lines: all to the log, the first to *why. */
static void
log_lines(char *text, char why[HOUSE_WHY_SIZE])
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] == '\0')
			continue;
		log_error(NULL, "%s", line);
		if (why[0] == '\0')
			(void)strlcpy(why, line, HOUSE_WHY_SIZE);
	}
}

struct settings *
house_load_settings(const char *path, char why[HOUSE_WHY_SIZE])
{
	struct settings *settings;
	char *text = NULL;
	size_t len = 0;
	FILE *errors = open_memstream(&text, &len);

	if (errors == NULL) {
		(void)strlcpy(why, strerror(errno), HOUSE_WHY_SIZE);
		return NULL;
	}
	settings = settings_load(path, errors);
	(void)fclose(errors);
	if (settings == NULL)
		log_lines(text, why);
	free(text);
	return settings;
}

static struct plan *
open_next(struct house *house, char why[HOUSE_WHY_SIZE])
{
	struct settings *settings =
	    house_load_settings(house->settings_path, why);
	const char *fixed;

	if (settings == NULL)
		return NULL;
	fixed = settings_restart_needed(house->now->settings, settings);
	if (fixed == NULL)
		fixed = programs_restart_needed(house->now->settings, settings);
	if (fixed != NULL) {
		(void)snprintf(why, HOUSE_WHY_SIZE,
		    "%s takes effect at a restart only", fixed);
		settings_unref(settings);
		return NULL;
	}
	return plan_open(settings, ++house->last_generation, house->now, why,
	    HOUSE_WHY_SIZE);
}

void
house_reload(struct house *house)
{
	char why[HOUSE_WHY_SIZE] = "";

	house->wants_reload = false;
	STAILQ_CONCAT(&house->reload_askers, &house->next_askers);
	notify_reloading();
	house->next = open_next(house, why);
	if (house->next == NULL) {
		refuse_reload(house, why);
		return;
	}
	house_enter(house, PHASE_RELOADING_HELPERS, RELOAD_LIMIT_S);
	house_tell(house, house_is_helper, house->next);
}

void
house_reload_ask(struct house *house)
{
	if (house->phase == PHASE_RUNNING)
		house_reload(house);
	else
		house->wants_reload = true;
}

void
house_reload_if_wanted(struct house *house)
{
	if (house->wants_reload)
		house_reload(house);
}

static void
finish_reload(struct house *house)
{
	char by[HOUSE_ASKED_BY_SIZE], text[HOUSE_WHY_SIZE];

	listeners_store(house->next->listeners, house->now->listeners);
	plan_close(house->now);
	house->now = house->next;
	house->next = NULL;
	house_enter(house, PHASE_RUNNING, 0);
	house_take_log_level(house);
	log_info(NULL, "the settings were reloaded");
	(void)snprintf(text, sizeof(text), "settings taken, generation %llu",
	    (unsigned long long)house->now->generation);
	house_record(house, AUDIT_RELOAD, false, "%s (asked by %s)", text,
	    house_asked_by(house, by));
	house_asked_tell(house, true, text);
	notify_ready("Running");
	house_reload_if_wanted(house);
}

void
house_reload_roll_back(struct house *house, const char *why)
{
	plan_close(house->next);
	house->next = NULL;
	house->now->generation = ++house->last_generation;
	house_enter(house, PHASE_RUNNING, 0);
	house_tell(house, house_is_any, house->now);
	refuse_reload(house, why);
	house_reload_if_wanted(house);
}

void
house_reload_go_on(struct house *house)
{
	uint64_t generation = house->next->generation;

	if (house->phase == PHASE_RELOADING_HELPERS &&
	    house_all_have(house, house_is_helper, generation)) {
		house_enter(house, PHASE_RELOADING_GATEWAY, RELOAD_LIMIT_S);
		house_tell(house, house_is_gateway, house->next);
	}
	if (house->phase == PHASE_RELOADING_GATEWAY &&
	    house_all_have(house, house_is_any, generation))
		finish_reload(house);
}
