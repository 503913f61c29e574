/* SPDX-License-Identifier: ISC */
/* The settings that concern a helper, as options for its link. */
#include "gateway/helper_options.h"

#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"
#include "base/options.h"
#include "gateway/settings.h"

static const struct {
	enum role role;
	const char *section;
} concerns[] = {
    {ROLE_AUTHENTICATOR, "kerberos"},
    {ROLE_DIRECTORY_WATCH, "directory"},
    {ROLE_DIRECTORY_WATCH, "policy"},
    {ROLE_DIRECTORY_LOOKUP, "directory"},
    {ROLE_AUDITOR, "audit"},
    {ROLE_PASSWORD_CHECKER, "password"},
};

static bool
is_concerned(enum role role, const char *section, const char *name)
{
	if (strcmp(section, "gateway") == 0)
		return strcmp(name, "log_level") == 0 ||
		       strcmp(name, "sandbox") == 0;
	for (size_t i = 0; i < ARRAY_COUNT(concerns); i++) {
		if (concerns[i].role == role &&
		    strcmp(concerns[i].section, section) == 0)
			return true;
	}
	return false;
}

static void
add_NUMBER(struct options *options, const char *name, uint64_t value)
{
	options_add_u64(options, name, value);
}

static void
add_BOOL(struct options *options, const char *name, bool value)
{
	options_add(options, name, value ? "true" : "false");
}

static void
add_TEXT(struct options *options, const char *name, const char *value)
{
	options_add(options, name, value);
}

static void
add_LIST(struct options *options, const char *name, struct settings_list value)
{
	for (size_t i = 0; i < value.count; i++)
		options_add(options, name, value.texts[i]);
}

void
helper_options_add(
    struct options *options, enum role role, const struct settings *settings)
{
#define S(section, name, type, member, value, min, max, reload, sentence)      \
	if (is_concerned(role, #section, #name))                               \
		add_##type(options, #section "." #name, settings->member);
#define L(name, type, member, value, min, max, sentence)
#include "gateway/settings.def"
#undef S
}
