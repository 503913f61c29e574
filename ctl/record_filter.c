/* SPDX-License-Identifier: ISC */
/* Which audit records an administrator wants to see. */
#include "ctl/record_filter.h"

#include <fnmatch.h>
#include <string.h>

#include "base/audit_param.h"
#include "base/audit_text.h"
#include "ctl/moment_text.h"

enum outcome
record_filter_add(struct record_filter *filter, const char *text)
{
	struct record_condition *condition = &filter->conditions[filter->count];
	const char *mark = strchr(text, '=');
	size_t len = mark != NULL ? (size_t)(mark - text) : 0;

	if (len == 0)
		return outcome_say(OUTCOME_USAGE,
		    "%s is no condition: write it as identity=alice@*", text);
	if (filter->count == RECORD_CONDITIONS_MAX)
		return outcome_say(OUTCOME_USAGE, "too many conditions");
	if (len < sizeof(condition->name)) {
		memcpy(condition->name, text, len);
		condition->name[len] = '\0';
	}
	if (len >= sizeof(condition->name) ||
	    audit_param_find(condition->name) < 0)
		return outcome_say(OUTCOME_USAGE,
		    "%.*s is no field: gatewarden-audit(7) has them all",
		    (int)len, text);
	condition->pattern = mark + 1;
	filter->count++;
	return OUTCOME_OK;
}

static enum outcome
read_moment(const char *text, uint64_t *at_us)
{
	uint64_t at;

	if (!moment_text_parse(text, &at))
		return outcome_say(OUTCOME_USAGE,
		    "%s is no time: write it as 2026-11-27T17:00:00+01:00 or "
		    "20261127160000Z",
		    text);
	*at_us = at * 1000000;
	return OUTCOME_OK;
}

enum outcome
record_filter_since(struct record_filter *filter, const char *moment)
{
	return read_moment(moment, &filter->since_us);
}

enum outcome
record_filter_until(struct record_filter *filter, const char *moment)
{
	return read_moment(moment, &filter->until_us);
}

struct matching {
	const struct record_filter *filter;
	uint64_t met; /* a bit for each condition */
};

static void
match(void *arg, const char *name, const char *value)
{
	struct matching *matching = arg;

	for (size_t i = 0; i < matching->filter->count; i++) {
		const struct record_condition *condition =
		    &matching->filter->conditions[i];

		if (strcmp(condition->name, name) == 0 &&
		    fnmatch(condition->pattern, value, FNM_NOESCAPE) == 0)
			matching->met |= UINT64_C(1) << i;
	}
}

bool
record_filter_takes(const struct record_filter *filter, const char *message,
    size_t len, const struct audit_text *text)
{
	struct matching matching = {.filter = filter};

	if (text->record.time_us < filter->since_us ||
	    (filter->until_us > 0 && text->record.time_us >= filter->until_us))
		return false;
	return filter->count == 0 ||
	       (audit_text_each(message, len, match, &matching) &&
		   matching.met == (UINT64_C(1) << filter->count) - 1);
}
