/* SPDX-License-Identifier: ISC */
/* What the gateway has counted, for who watches it: gatewarden-metrics. */
#include "gateway/control_private.h"

#include "base/ctl_protocol.h"
#include "base/method.h"
#include "base/options.h"
#include "gateway/counters.h"
#include "gateway/latency.h"
#include "gateway/rule_totals.h"
#include "gateway/worker.h"

static void
say_ends(struct control_call *call, struct counters *counters)
{
	for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
		uint64_t value = counters_get_end(counters, reason);
		struct options *line;

		if (value == 0)
			continue;
		line = control_line_begin("ended");
		options_add(line, "name", reason_name(reason));
		options_add_u64(line, "value", value);
		control_line_end(call, line);
	}
}

/* Sessions that ended because somebody sent again what had been sent, or asked
 * for less protection than is demanded, or spoke in clear where it was sealed.
 */
static void
say_attempts(struct control_call *call, struct counters *counters)
{
	static const enum reason replays[] = {
	    REASON_GSS_REPLAY, REASON_GSS_TOKEN_REPLAY, REASON_GSS_ORDER};
	static const enum reason downgrades[] = {REASON_GSS_LEVEL,
	    REASON_GSS_CLEAR, REASON_GSS_CONFIDENTIALITY, REASON_UDP_CLEAR,
	    REASON_PASSWORD_NOT_ALLOWED, REASON_TLS_CLEAR, REASON_TLS_VERSION};
	uint64_t replayed = 0, downgraded = 0;
	struct options *line = control_line_begin("attempts");

	for (size_t i = 0; i < ARRAY_COUNT(replays); i++)
		replayed += counters_get_end(counters, replays[i]);
	for (size_t i = 0; i < ARRAY_COUNT(downgrades); i++)
		downgraded += counters_get_end(counters, downgrades[i]);
	options_add_u64(line, "replays", replayed);
	options_add_u64(line, "downgrades", downgraded);
	control_line_end(call, line);
}

static void
say_latency(struct control_call *call, const char *kind, const char *method,
    struct latency *latency)
{
	struct options *line = control_line_begin(kind);

	if (method != NULL)
		options_add(line, "method", method);
	for (size_t i = 0; i < LATENCY_BOUNDS; i++)
		options_add_u64(line, "bound", latency_bounds_us[i]);
	latency_describe(latency, line);
	control_line_end(call, line);
}

static void
say_proofs(struct control_call *call, struct shared *shared)
{
	for (enum method method = METHOD_GSSAPI; method < METHOD_COUNT;
	     method++) {
		struct options *line = control_line_begin("proof");

		options_add(line, "method", method_name(method));
		options_add_u64(
		    line, "ok", atomic_load(&shared->proofs[method][true]));
		options_add_u64(line, "failed",
		    atomic_load(&shared->proofs[method][false]));
		control_line_end(call, line);
		say_latency(call, "handshake", method_name(method),
		    &shared->handshakes[method]);
	}
}

static void
say_rule(void *arg, const char *rule, uint64_t sessions, uint64_t to_target,
    uint64_t to_client)
{
	struct options *line = control_line_begin("rule");

	options_add(line, "name", rule);
	options_add_u64(line, "sessions", sessions);
	options_add_u64(line, "to_target", to_target);
	options_add_u64(line, "to_client", to_client);
	control_line_end(arg, line);
}

void
control_metrics_say(
    struct control_call *call, const struct control_world *world)
{
	struct shared *shared = world->shared;

	say_ends(call, &shared->counters);
	say_attempts(call, &shared->counters);
	say_proofs(call, shared);
	say_latency(call, "decision", NULL, &shared->decisions);
	if (shared->rule_totals != NULL)
		rule_totals_each(shared->rule_totals, say_rule, call);
}
