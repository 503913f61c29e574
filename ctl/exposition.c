/* SPDX-License-Identifier: ISC */
/* The gateway's numbers as Prometheus reads them. */
#include "ctl/exposition.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ctl_protocol.h"
#include "base/must.h"
#include "base/options.h"

enum metric {
#define M(id, name, type, help) METRIC_##id,
#include "ctl/metrics.def"
#undef M
	METRIC_COUNT
};

static const struct {
	const char *name, *type, *help;
} rows[METRIC_COUNT] = {
#define M(id, name, type, help) [METRIC_##id] = {name, type, help},
#include "ctl/metrics.def"
#undef M
};

/* Samples of one metric have to stand together. */
struct samples {
	FILE *out;
	char *text;
	size_t len;
};

struct exposition {
	struct samples samples[METRIC_COUNT];
};

static void
open_text(FILE **out, char **text, size_t *len)
{
	*out = open_memstream(text, len);
	if (*out == NULL)
		die("out of memory");
}

struct exposition *
exposition_new(void)
{
	struct exposition *exposition = must_alloc(1, sizeof(*exposition));

	for (size_t i = 0; i < METRIC_COUNT; i++)
		open_text(&exposition->samples[i].out,
		    &exposition->samples[i].text, &exposition->samples[i].len);
	return exposition;
}

void
exposition_free(struct exposition *exposition)
{
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		(void)fclose(exposition->samples[i].out);
		free(exposition->samples[i].text);
	}
	free(exposition);
}

/* ---- samples */

/* A label's value: what the format wants escaped, is. */
static void
print_label(FILE *out, const char *name, const char *value)
{
	(void)fprintf(out, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			(void)fputs("\\n", out);
		else if (*value == '"' || *value == '\\')
			(void)fprintf(out, "\\%c", *value);
		else
			(void)fputc(*value, out);
	}
	(void)fputc('"', out);
}

struct label {
	const char *name, *value; /* NULL: there is none */
};

/* "NAME{LABEL="VALUE",...} " of what may have a suffix. */
static FILE *
begin_sample(struct exposition *exposition, enum metric metric,
    const char *suffix, const struct label labels[2])
{
	FILE *out = exposition->samples[metric].out;

	(void)fprintf(out, "%s%s", rows[metric].name, suffix);
	for (size_t i = 0; i < 2 && labels[i].name != NULL; i++) {
		(void)fputc(i == 0 ? '{' : ',', out);
		print_label(out, labels[i].name, labels[i].value);
	}
	(void)fputs(labels[0].name != NULL ? "} " : " ", out);
	return out;
}

static void
add(struct exposition *exposition, enum metric metric,
    const struct label labels[2], uint64_t value)
{
	(void)fprintf(begin_sample(exposition, metric, "", labels),
	    "%" PRIu64 "\n", value);
}

static void
add_us(struct exposition *exposition, enum metric metric, const char *suffix,
    const struct label labels[2], uint64_t us)
{
	(void)fprintf(begin_sample(exposition, metric, suffix, labels),
	    "%" PRIu64 ".%06" PRIu64 "\n", us / 1000000, us % 1000000);
}

static const struct label none[2] = {{NULL, NULL}, {NULL, NULL}};

/* ---- lines */

/* A field of a line whose number, or yes and no, is a metric without labels. */
static const struct {
	const char *kind, *field;
	enum metric metric;
	bool is_yes;
} fields[] = {
    {"gateway", "up_s", METRIC_UPTIME, false},
    {"gateway", "sessions", METRIC_SESSIONS, false},
    {"gateway", "unproved", METRIC_UNPROVED, false},
    {"gateway", "sessions_max", METRIC_SESSIONS_MAX, false},
    {"attempts", "replays", METRIC_REPLAYS, false},
    {"attempts", "downgrades", METRIC_DOWNGRADES, false},
    {"policy", "count", METRIC_POLICY_RULES, false},
    {"policy", "generation", METRIC_POLICY_GENERATION, false},
    {"policy", "confirmed", METRIC_POLICY_CONFIRMED, false},
    {"policy", "stale", METRIC_POLICY_STALE, true},
    {"policy", "expired", METRIC_POLICY_EXPIRED, true},
    {"resolver", "failures", METRIC_RESOLVER_FAILURES, false},
    {"pam", "failures", METRIC_PAM_FAILURES, false},
    {"program", "spool_octets", METRIC_SPOOL_BYTES, false},
    {"program", "spool_max", METRIC_SPOOL_MAX, false},
    {"program", "waiting", METRIC_SPOOL_WAITING, false},
    {"program", "failing", METRIC_SPOOL_FAILING, true},
    {"program", "receiver", METRIC_RECEIVER_UP, true},
};

static void
take_fields(
    struct exposition *exposition, const char *kind, const struct options *line)
{
	for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
		if (strcmp(kind, fields[i].kind) != 0 ||
		    options_get(line, fields[i].field, NULL) == NULL)
			continue;
		add(exposition, fields[i].metric, none,
		    fields[i].is_yes ? ctl_is_yes(line, fields[i].field)
				     : ctl_number(line, fields[i].field));
	}
}

static void
take_gateway(struct exposition *exposition, const struct options *line)
{
	const struct label labels[2] = {
	    {"version", options_get(line, "version", "?")}};

	add(exposition, METRIC_BUILD_INFO, labels, 1);
}

static void
take_directory(struct exposition *exposition, const struct options *line)
{
	if (ctl_is_yes(line, "configured"))
		add(exposition, METRIC_DIRECTORY_UP, none,
		    ctl_is_yes(line, "up"));
}

static void
take_loop(struct exposition *exposition, const struct options *line)
{
	const struct label labels[2] = {
	    {"worker", options_get(line, "worker", "?")}};

	add_us(exposition, METRIC_LOOP_LATE, "", labels,
	    ctl_number(line, "late_us"));
}

static void
take_counter(struct exposition *exposition, const struct options *line)
{
	const struct label labels[2] = {
	    {"event", options_get(line, "name", "?")}};

	add(exposition, METRIC_EVENTS, labels, ctl_number(line, "value"));
}

static void
take_ended(struct exposition *exposition, const struct options *line)
{
	const struct label labels[2] = {
	    {"reason", options_get(line, "name", "?")}};

	add(exposition, METRIC_ENDED, labels, ctl_number(line, "value"));
}

static void
take_proof(struct exposition *exposition, const struct options *line)
{
	static const char *const outcomes[] = {"ok", "failed"};

	for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++) {
		const struct label labels[2] = {
		    {"method", options_get(line, "method", "?")},
		    {"outcome", outcomes[i]}};

		add(exposition, METRIC_HANDSHAKES, labels,
		    ctl_number(line, outcomes[i]));
	}
}

static void
take_latency(struct exposition *exposition, enum metric metric,
    struct label method, const struct options *line)
{
	struct label labels[2] = {method, {NULL, NULL}};
	size_t le = method.name != NULL ? 1 : 0;
	const char *bound, *below;
	char text[32];

	for (size_t i = 0;
	     (bound = options_get_nth(line, "bound", i)) != NULL &&
	     (below = options_get_nth(line, "below", i)) != NULL;
	     i++) {
		uint64_t us = strtoull(bound, NULL, 10);

		(void)snprintf(text, sizeof(text), "%" PRIu64 ".%04" PRIu64,
		    us / 1000000, us % 1000000 / 100);
		labels[le] = (struct label){"le", text};
		(void)fprintf(
		    begin_sample(exposition, metric, "_bucket", labels), "%s\n",
		    below);
	}
	labels[le] = (struct label){"le", "+Inf"};
	(void)fprintf(begin_sample(exposition, metric, "_bucket", labels),
	    "%" PRIu64 "\n", ctl_number(line, "count"));
	labels[le] = (struct label){NULL, NULL};
	add_us(exposition, metric, "_sum", labels, ctl_number(line, "sum_us"));
	(void)fprintf(begin_sample(exposition, metric, "_count", labels),
	    "%" PRIu64 "\n", ctl_number(line, "count"));
}

static void
take_handshake(struct exposition *exposition, const struct options *line)
{
	take_latency(exposition, METRIC_HANDSHAKE_SECONDS,
	    (struct label){"method", options_get(line, "method", "?")}, line);
}

static void
take_decision(struct exposition *exposition, const struct options *line)
{
	take_latency(exposition, METRIC_DECISION_SECONDS,
	    (struct label){NULL, NULL}, line);
}

static void
take_rule(struct exposition *exposition, const struct options *line)
{
	static const char *const directions[] = {"to_target", "to_client"};
	struct label labels[2] = {
	    {"rule", options_get(line, "name", "")}, {NULL, NULL}};

	add(exposition, METRIC_RULE_SESSIONS, labels,
	    ctl_number(line, "sessions"));
	for (size_t i = 0; i < ARRAY_COUNT(directions); i++) {
		labels[1] = (struct label){"direction", directions[i]};
		add(exposition, METRIC_RULE_BYTES, labels,
		    ctl_number(line, directions[i]));
	}
}

static void
take_program(struct exposition *exposition, const struct options *line)
{
	const struct label labels[2] = {
	    {"program", options_get(line, "program", "?")},
	    {"index", options_get(line, "index", "?")}};

	add(exposition, METRIC_PROGRAM_STARTS, labels,
	    ctl_number(line, "starts"));
	add(exposition, METRIC_PROGRAM_UP, labels,
	    options_get(line, "pid", NULL) != NULL);
}

void
exposition_take(struct exposition *exposition, const struct options *line)
{
	static const struct {
		const char *kind;
		void (*take)(
		    struct exposition *exposition, const struct options *line);
	} takers[] = {
	    {"gateway", take_gateway},
	    {"directory", take_directory},
	    {"loop", take_loop},
	    {"counter", take_counter},
	    {"ended", take_ended},
	    {"proof", take_proof},
	    {"handshake", take_handshake},
	    {"decision", take_decision},
	    {"rule", take_rule},
	    {"program", take_program},
	};
	const char *kind = options_get(line, "kind", "");

	take_fields(exposition, kind, line);
	for (size_t i = 0; i < ARRAY_COUNT(takers); i++)
		if (strcmp(kind, takers[i].kind) == 0)
			takers[i].take(exposition, line);
}

/* ---- the whole */

static void
print_metric(FILE *out, enum metric metric, const char *samples)
{
	(void)fprintf(out, "# HELP %s ", rows[metric].name);
	for (const char *at = rows[metric].help; *at != '\0'; at++)
		(void)fprintf(out, *at == '\\' ? "\\%c" : "%c", *at);
	(void)fprintf(out, "\n# TYPE %s %s\n%s", rows[metric].name,
	    rows[metric].type, samples);
}

char *
exposition_print(struct exposition *exposition, bool is_up, size_t *len)
{
	FILE *out;
	char *text;

	open_text(&out, &text, len);
	add(exposition, METRIC_UP, none, is_up);
	for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
		struct samples *samples = &exposition->samples[metric];

		if (fflush(samples->out) != 0)
			die("out of memory");
		if (samples->len > 0 && (is_up || metric == METRIC_UP))
			print_metric(out, metric, samples->text);
	}
	if (fclose(out) != 0)
		die("out of memory");
	return text;
}
