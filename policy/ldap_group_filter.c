/* SPDX-License-Identifier: ISC */
/* Filters for the groups that name a member, and the ways in which they may. */
#include "policy/ldap_group_filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/ldap_account.h"
#include "policy/ldap_template.h"

const struct group_way group_ways[] = {
    {"member", "(member=%d)", ORIGIN_MEMBER, false},
    {"uniqueMember", "(uniqueMember=%d)", ORIGIN_UNIQUE_MEMBER, false},
    {"memberUid", "(memberUid=%u)", ORIGIN_MEMBER_UID, true},
    {.attribute = NULL},
};

struct group_filter {
	const char *template;
	char *joined;
	size_t len;
	FILE *out;
	int result; /* 0 or -errno */
};

struct group_filter *
group_filter_new(const char *template)
{
	struct group_filter *filter = calloc(1, sizeof(*filter));

	if (filter == NULL)
		return NULL;
	filter->template = template;
	filter->out = open_memstream(&filter->joined, &filter->len);
	if (filter->out == NULL) {
		free(filter);
		return NULL;
	}
	(void)fputs("(|", filter->out);
	return filter;
}

/* The filter for one member, under one of its names or under none. */
static void
put(struct group_filter *filter, const char *dn, const char *name)
{
	const struct template_value values[] = {
	    {'d', dn}, {'u', name}, {'\0', NULL}};
	char *text;

	if (filter->result != 0)
		return;
	text = template_expand(filter->template, values);
	if (text == NULL)
		filter->result = -errno;
	else
		(void)fputs(text, filter->out);
	free(text);
}

void
group_filter_add(
    struct group_filter *filter, const char *dn, const struct account *account)
{
	if (account == NULL || account->name_count == 0)
		put(filter, dn, NULL);
	for (size_t i = 0; account != NULL && i < account->name_count; i++)
		put(filter, dn, account->names[i]);
}

char *
group_filter_end(struct group_filter *filter)
{
	char *joined;
	int result;

	if (filter == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	(void)fputc(')', filter->out);
	result = filter->result;
	if (fclose(filter->out) != 0 && result == 0)
		result = -ENOMEM;
	joined = filter->joined;
	free(filter);
	if (result == 0)
		return joined;
	free(joined);
	errno = -result;
	return NULL;
}

bool
group_filter_names(const char *filter, const char *attribute)
{
	size_t len = strlen(attribute);

	while ((filter = strchr(filter, '(')) != NULL) {
		filter++;
		if (strncasecmp(filter, attribute, len) == 0 &&
		    filter[len] != '\0' &&
		    strchr("=:;<>~", filter[len]) != NULL)
			return true;
	}
	return false;
}
