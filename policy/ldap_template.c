/* SPDX-License-Identifier: ISC */
/* Search filters made of a template and foreign values, always escaped. */
#include "policy/ldap_template.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ldap.h>

static const char *
find_value(const struct template_value *values, char letter)
{
	for (; values->letter != '\0'; values++)
		if (values->letter == letter)
			return values->value;
	return NULL;
}

/* An empty value is refused first: it would match what it should not, and
 * libldap escapes it to a null pointer. */
static int
put_escaped(FILE *out, const char *value)
{
	struct berval plain, escaped = {0, NULL};

	if (value == NULL || *value == '\0')
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
expand(FILE *out, const char *template, const struct template_value *values)
{
	int result;

	for (; *template != '\0'; template ++) {
		if (*template != '%') {
			(void)fputc(*template, out);
			continue;
		}
		template ++;
		if (*template == '%') {
			(void)fputc('%', out);
			continue;
		}
		result = put_escaped(out, find_value(values, *template));
		if (result != 0)
			return result;
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
