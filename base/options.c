/* SPDX-License-Identifier: ISC */
/* A helper's configuration: names and texts that the master hands over. */
#include "base/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/must.h"
#include "base/text.h"
#include "base/wire.h"

#define NUMBER_TEXT_SIZE 21 /* 2^64 - 1 and NUL */

struct option {
	STAILQ_ENTRY(option) entry;
	char *name;
	char *text;
};

struct options {
	STAILQ_HEAD(option_list, option) list;
};

struct options *
options_new(void)
{
	struct options *options = must_alloc(1, sizeof(*options));

	STAILQ_INIT(&options->list);
	return options;
}

void
options_free(struct options *options)
{
	struct option *option;

	if (options == NULL)
		return;
	while ((option = STAILQ_FIRST(&options->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&options->list, entry);
		free(option->name);
		free(option->text);
		free(option);
	}
	free(options);
}

static void
append(struct options *options, char *name, char *text)
{
	struct option *option = must_alloc(1, sizeof(*option));

	option->name = name;
	option->text = text;
	STAILQ_INSERT_TAIL(&options->list, option, entry);
}

void
options_add(struct options *options, const char *name, const char *text)
{
	append(options, must_strdup(name), must_strdup(text));
}

void
options_add_u64(struct options *options, const char *name, uint64_t value)
{
	char text[NUMBER_TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	options_add(options, name, text);
}

const char *
options_get_nth(const struct options *options, const char *name, size_t n)
{
	const struct option *option;

	STAILQ_FOREACH (option, &options->list, entry) {
		if (strcmp(option->name, name) == 0 && n-- == 0)
			return option->text;
	}
	return NULL;
}

const char *
options_get(
    const struct options *options, const char *name, const char *otherwise)
{
	const char *text = options_get_nth(options, name, 0);

	return text != NULL ? text : otherwise;
}

bool
options_at(const struct options *options, size_t n, const char **name,
    const char **text)
{
	const struct option *option;

	STAILQ_FOREACH (option, &options->list, entry) {
		if (n-- > 0)
			continue;
		*name = option->name;
		*text = option->text;
		return true;
	}
	return false;
}

char *
options_copy(const struct options *options, const char *name)
{
	return must_strdup(options_get(options, name, ""));
}

uint64_t
options_get_u64(
    const struct options *options, const char *name, uint64_t otherwise)
{
	const char *text = options_get_nth(options, name, 0);
	uint64_t value = otherwise;

	if (text != NULL)
		must(text_parse_u64(text, 0, UINT64_MAX, &value));
	return value;
}

bool
options_get_bool(
    const struct options *options, const char *name, bool otherwise)
{
	const char *text = options_get_nth(options, name, 0);

	if (text == NULL)
		return otherwise;
	must(strcmp(text, "true") == 0 || strcmp(text, "false") == 0);
	return text[0] == 't';
}

/* A row is a counted name and a counted text. */
static size_t
encoded_size(const struct options *options)
{
	const struct option *option;
	size_t size = 0;

	STAILQ_FOREACH (option, &options->list, entry) {
		size += 2 * sizeof(uint32_t) + strlen(option->name) +
			strlen(option->text);
	}
	return size;
}

void
options_encode(const struct options *options, uint8_t **data, size_t *len)
{
	const struct option *option;
	struct wire_writer writer;
	size_t size = encoded_size(options);

	*data = must_alloc(1, size + 1); /* never of size 0 */
	wire_writer_init(&writer, *data, size);
	STAILQ_FOREACH (option, &options->list, entry) {
		wire_put_string(&writer, option->name);
		wire_put_string(&writer, option->text);
	}
	must(!writer.failed && writer.len == size);
	*len = size;
}

/* A copy that ends in NUL, or NULL if there is no string here. */
static char *
get_text(struct wire_reader *reader)
{
	size_t len;
	const uint8_t *bytes = wire_get_counted(reader, &len);
	char *text;

	if (reader->failed || (len > 0 && memchr(bytes, 0, len) != NULL))
		return NULL;
	text = must_alloc(len + 1, 1);
	if (len > 0)
		memcpy(text, bytes, len);
	return text;
}

struct options *
options_decode(const void *data, size_t len)
{
	struct options *options = options_new();
	struct wire_reader reader;

	wire_reader_init(&reader, data, len);
	while (wire_remaining(&reader) > 0) {
		char *name = get_text(&reader);
		char *text = name != NULL ? get_text(&reader) : NULL;

		if (text == NULL || name[0] == '\0') {
			free(name);
			free(text);
			options_free(options);
			return NULL;
		}
		append(options, name, text);
	}
	return options;
}
