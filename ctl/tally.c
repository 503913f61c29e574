/* SPDX-License-Identifier: ISC */
/* Texts, each once and with how often it came. */
#include "ctl/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/tree.h>

#include "base/must.h"
#include "base/text.h"
#include "ctl/document.h"

struct counted {
	RB_ENTRY(counted) entry;
	char *text;
	uint64_t count;
};

RB_HEAD(counted_tree, counted);

struct tally {
	struct counted_tree tree;
};

static int
compare(const struct counted *a, const struct counted *b)
{
	return strcmp(a->text, b->text);
}

/* tree.h's own RB_GENERATE_STATIC needs a macro that glibc does not have. */
RB_GENERATE_INTERNAL(
    counted_tree, counted, entry, compare, __attribute__((unused)) static)

struct tally *
tally_new(void)
{
	return must_alloc(1, sizeof(struct tally));
}

void
tally_free(struct tally *tally)
{
	struct counted *counted;

	while (tally != NULL && (counted = RB_ROOT(&tally->tree)) != NULL) {
		RB_REMOVE(counted_tree, &tally->tree, counted);
		free(counted->text);
		free(counted);
	}
	free(tally);
}

void
tally_add(struct tally *tally, const char *text)
{
	struct counted *counted = must_alloc(1, sizeof(*counted)), *found;

	counted->text = must_strdup(text);
	found = RB_INSERT(counted_tree, &tally->tree, counted);
	if (found != NULL) {
		free(counted->text);
		free(counted);
		counted = found;
	}
	counted->count++;
}

/* In their order; the tree's functions know no const. */
static struct counted *
first(const struct tally *tally)
{
	return RB_MIN(
	    counted_tree, (struct counted_tree *)(uintptr_t)&tally->tree);
}

static struct counted *
next(struct counted *counted)
{
	return counted_tree_RB_NEXT(counted);
}

void
tally_print(const struct tally *tally, const char *before)
{
	for (struct counted *at = first(tally); at != NULL; at = next(at)) {
		size_t len = strlen(at->text);
		char *quoted = must_alloc(TEXT_QUOTED_SIZE(len), 1);

		(void)text_quote(quoted, TEXT_QUOTED_SIZE(len), at->text, len);
		(void)printf("%s%s (%" PRIu64 ")\n", before, quoted, at->count);
		free(quoted);
	}
}

json_t *
tally_array(const struct tally *tally)
{
	json_t *array = json_array();

	for (struct counted *at = first(tally); at != NULL; at = next(at)) {
		json_t *object = json_object();

		must(json_object_set_new(
			 object, "text", document_text(at->text)) == 0);
		must(json_object_set_new(object, "count",
			 json_integer((json_int_t)at->count)) == 0);
		must(json_array_append_new(array, object) == 0);
	}
	return array;
}
