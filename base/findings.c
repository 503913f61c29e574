/* SPDX-License-Identifier: ISC */
/* What is found to be wrong before a start, and the command that mends it. */
#include "base/findings.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/must.h"

#define SUBJECT "{}"
#define USER	"{user}"

enum weight { WEIGHT_SETTINGS, WEIGHT_HOST, WEIGHT_WARNING };

static const struct {
	const char *name;
	enum weight weight;
	const char *remedy;
} rows[FINDING_COUNT] = {
#define F(id, name, weight, sentence, remedy)                                  \
	[FINDING_##id] = {name, WEIGHT_##weight, remedy},
#include "base/findings.def"
#undef F
};

static void
count(struct findings *findings, enum weight weight)
{
	switch (weight) {
	case WEIGHT_SETTINGS:
		findings->of_settings++;
		break;
	case WEIGHT_HOST:
		findings->of_host++;
		break;
	case WEIGHT_WARNING:
		findings->warnings++;
		break;
	}
}

/* Safe to be pasted into a shell. */
static void
print_word(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+,:@%";

	if (*word != '\0' && word[strspn(word, plain)] == '\0') {
		(void)fputs(word, out);
		return;
	}
	(void)fputc('\'', out);
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			(void)fputs("'\\''", out);
		else
			(void)fputc(*word, out);
	}
	(void)fputc('\'', out);
}

static void
print_remedy(FILE *out, const char *remedy, const struct finding_place *about)
{
	while (*remedy != '\0') {
		if (strncmp(remedy, SUBJECT, strlen(SUBJECT)) == 0) {
			print_word(out, about->subject);
			remedy += strlen(SUBJECT);
		} else if (strncmp(remedy, USER, strlen(USER)) == 0) {
			must(about->user != NULL);
			print_word(out, about->user);
			remedy += strlen(USER);
		} else {
			(void)fputc(*remedy++, out);
		}
	}
}

void
findings_add(struct findings *findings, enum finding finding,
    const struct finding_place *about, const char *format, ...)
{
	va_list args;

	must(finding < FINDING_COUNT);
	count(findings, rows[finding].weight);
	if (about->place != NULL)
		(void)fprintf(findings->out, "%s: ", about->place);
	va_start(args, format);
	(void)vfprintf(findings->out, format, args);
	va_end(args);
	(void)fprintf(findings->out, "%s\n\t%s: ",
	    rows[finding].weight == WEIGHT_WARNING ? " (a warning)" : "",
	    rows[finding].name);
	print_remedy(findings->out, rows[finding].remedy, about);
	(void)fputc('\n', findings->out);
}

int
findings_status(const struct findings *findings)
{
	if (findings->of_settings > 0)
		return EX_CONFIG;
	return findings->of_host > 0 ? EX_UNAVAILABLE : EXIT_SUCCESS;
}
