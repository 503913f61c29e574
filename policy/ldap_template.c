/* SPDX-License-Identifier: ISC */
/* Search filters made of a template and foreign values, always escaped. */
#include "policy/ldap_template.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ldap.h>

/* What no entry matches, in every server. */
#define NOTHING "(!(objectClass=*))"

static const struct template_value *
find_value(const struct template_value *values, char letter)
{
	for (; values->letter != '\0'; values++)
		if (values->letter == letter)
			return values;
	return NULL;
}

/* An empty value is refused first: it would match what it should not, and
 * libldap escapes it to a null pointer. */
static int
put_escaped(FILE *out, const char *value)
{
	struct berval plain, escaped = {0, NULL};

	if (*value == '\0')
		return -EINVAL;
	plain.bv_val = (char *)(uintptr_t)value;
	plain.bv_len = strlen(value);
	if (ldap_bv2escaped_filter_value(&plain, &escaped) != 0 ||
	    escaped.bv_val == NULL)
		return -ENOMEM;
	(void)fwrite(escaped.bv_val, 1, escaped.bv_len, out);
	/* What needs no escape is not copied. */
	if (escaped.bv_val != plain.bv_val)
		ldap_memfree(escaped.bv_val);
	return 0;
}

static int
put_placeholder(FILE *out, const struct template_value *values, char letter)
{
	const struct template_value *value = find_value(values, letter);

	if (letter == '%') {
		(void)fputc('%', out);
		return 0;
	}
	return value != NULL ? put_escaped(out, value->value) : -EINVAL;
}

/* Whether one of its placeholders has no value. */
static bool
lacks_value(const char *text, size_t len, const struct template_value *values)
{
	const struct template_value *value;

	for (size_t i = 0; i + 1 < len; i++) {
		if (text[i] != '%')
			continue;
		value = find_value(values, text[++i]);
		if (value != NULL && value->value == NULL)
			return true;
	}
	return false;
}

/* The comparison that a template begins with, "(attribute=value)": its
 * length, or 0 if there is none.  No parenthesis is inside (RFC 4515). */
static size_t
comparison_len(const char *template)
{
	size_t len = 1;

	if (*template != '(')
		return 0;
	len += strcspn(template + 1, "()");
	return template[len] == ')' ? len + 1 : 0;
}

static int
expand(FILE *out, const char *template, const struct template_value *values)
{
	size_t len;
	int result;

	while (*template != '\0') {
		len = comparison_len(template);
		if (len > 0 && lacks_value(template, len, values)) {
			(void)fputs(NOTHING, out);
			template += len;
		} else if (*template != '%') {
			(void)fputc(*template ++, out);
		} else {
			result = put_placeholder(out, values, template[1]);
			if (result != 0)
				return result;
			template += 2;
		}
	}
	return 0;
}

char *
template_expand(const char *template, const struct template_value *values)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int result;

	if (out == NULL)
		return NULL;
	result = expand(out, template, values);
	if (fclose(out) != 0 && result == 0)
		result = -ENOMEM;
	if (result != 0) {
		free(text);
		errno = -result;
		return NULL;
	}
	return text;
}
