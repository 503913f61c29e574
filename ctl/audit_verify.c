/* SPDX-License-Identifier: ISC */
/*
 * gatewardenctl audit verify: whether the spool's records are those that were
 * written, all of them, in their order.
 */
#include "ctl/commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/audit_chain_key.h"
#include "base/audit_text.h"
#include "base/must.h"
#include "base/text.h"
#include "ctl/chain_findings.h"
#include "ctl/chain_key_text.h"
#include "ctl/chain_proof.h"
#include "ctl/spool.h"
#include "ctl/verify_report.h"

struct verify {
	const char *path, *key_path, *last;
	uint8_t k0[AUDIT_CHAIN_KEY_SIZE];
	struct spool *spool;
	/* Of chain.key, from before the spool was read; or -errno. */
	struct audit_chain running;
	int running_status;
	/* What the collector has last; without text only its number. */
	struct audit_text last_text;
	bool has_last_text;
	struct chain_proof proof;
	struct chain_findings findings;
	struct verify_report report;
};

static bool
read_options(struct verify *verify, int argc, char **argv)
{
	static const struct option options[] = {
	    {"key", required_argument, NULL, 'k'},
	    {"last", required_argument, NULL, 'l'},
	    {"spool", required_argument, NULL, 's'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	verify->path = SPOOL_DEFAULT;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			verify->path = optarg;
		else if (option == 'k')
			verify->key_path = optarg;
		else if (option == 'l')
			verify->last = optarg;
		else
			return false;
	}
	return optind == argc && verify->key_path != NULL;
}

/* A number, or a line of a log. */
static enum outcome
read_last(struct verify *verify)
{
	struct audit_text *text = &verify->last_text;
	const char *why = "";
	char at[33];

	if (verify->last == NULL ||
	    text_parse_u64(verify->last, 1, UINT64_MAX, &text->sequence))
		return OUTCOME_OK;
	if (audit_text_parse(verify->last, strlen(verify->last), text, &why,
		at) == AUDIT_TEXT_RECORD &&
	    text->sequence > 0) {
		verify->has_last_text = true;
		return OUTCOME_OK;
	}
	return outcome_say(OUTCOME_DATA,
	    "--last is neither a number nor a line with a record: %s %s", why,
	    at);
}

static void
read_running_key(struct verify *verify)
{
	int folder = spool_open_parent(verify->spool);

	verify->running_status = folder;
	if (folder < 0)
		return;
	verify->running_status = audit_chain_key_read(folder, &verify->running);
	(void)close(folder);
}

/* ---- the end */

static void
find(struct verify *verify, enum chain_finding_kind kind, uint64_t first,
    uint64_t last, const struct chain_entry *entry)
{
	const struct chain_finding finding = {
	    .kind = kind,
	    .first = first,
	    .last = last,
	    .entry = entry,
	};

	chain_findings_add(&verify->findings, &finding);
}

/* All up to this number were written. */
static void
demand(struct verify *verify, uint64_t number)
{
	struct chain_findings *findings = &verify->findings;
	struct chain_finding *said =
	    findings->count > 0 ? &findings->list[findings->count - 1] : NULL;

	if (findings->last >= number)
		return;
	if (said == NULL || said->kind != CHAIN_TRUNCATED)
		find(verify, CHAIN_TRUNCATED, findings->last + 1, number, NULL);
	else if (said->last < number)
		said->last = number;
}

/* More are not computed: chain_proof.c. */
#define EPOCHS_MOST (UINT64_C(1) << 26)

static bool
is_running_key_ours(const struct verify *verify)
{
	struct audit_chain chain;
	bool is_ours;

	if (verify->running.epoch > EPOCHS_MOST)
		return false;
	audit_chain_init(&chain, verify->k0);
	audit_chain_turn(&chain, verify->running.epoch);
	is_ours =
	    memcmp(chain.key, verify->running.key, sizeof(chain.key)) == 0;
	audit_chain_wipe(&chain);
	return is_ours;
}

static void
compare_with_running_key(struct verify *verify)
{
	if (verify->running_status < 0) {
		if (verify->last == NULL)
			verify_report_note(&verify->report,
			    "chain.key cannot be read, and --last is not "
			    "given: whether the end is missing is not known");
		return;
	}
	if (!is_running_key_ours(verify)) {
		find(verify, CHAIN_WRONG_RUNNING_KEY, 0, 0, NULL);
		return;
	}
	demand(verify, verify->running.epoch * AUDIT_EPOCH_RECORDS);
	if (verify->last == NULL)
		verify_report_note(&verify->report,
		    "--last is not given: what is missing at the end is known "
		    "only down to the epoch of chain.key, 1024 records");
}

/* As both have it: whether it waited is the receiver's alone. */
static void
print_element(const struct audit_text *text, char out[AUDIT_RECORD_MAX])
{
	const struct audit_stamp stamp = {
	    .sd_id = text->sd_id,
	    .instance = text->instance,
	    .boot_id = text->boot_id,
	    .sequence = text->sequence,
	};

	(void)audit_record_print(&text->record, &stamp, out);
}

static bool
is_same(struct verify *verify, const struct chain_entry *entry)
{
	char ours[AUDIT_RECORD_MAX], theirs[AUDIT_RECORD_MAX];
	char line[AUDIT_CHAIN_LINE_MAX], at[33];
	struct audit_text text;
	const char *why;

	if (!spool_read(verify->spool, entry->segment, entry->offset, line,
		entry->len) ||
	    audit_text_parse(line + AUDIT_CHAIN_PREFIX,
		entry->len - AUDIT_CHAIN_PREFIX, &text, &why,
		at) != AUDIT_TEXT_RECORD)
		return false;
	print_element(&text, ours);
	print_element(&verify->last_text, theirs);
	return strcmp(ours, theirs) == 0;
}

static void
compare_with_last(struct verify *verify)
{
	const struct chain_proof *proof = &verify->proof;
	uint64_t number = verify->last_text.sequence;
	size_t at;

	if (verify->last == NULL)
		return;
	demand(verify, number);
	if (number < verify->findings.first)
		verify_report_note(&verify->report,
		    "the record of --last is older than all that are there");
	at = chain_proof_find(proof, number);
	if (verify->has_last_text && at < proof->numbered_count &&
	    proof->numbered[at]->sequence == number &&
	    !is_same(verify, proof->numbered[at]))
		find(
		    verify, CHAIN_DIFFERS, number, number, proof->numbered[at]);
}

/* ---- all of it */

static enum outcome
verify_spool(struct verify *verify, bool wants_json)
{
	enum outcome outcome;

	read_running_key(verify);
	outcome = chain_proof_make(verify->spool, verify->k0, &verify->proof);
	if (outcome != OUTCOME_OK)
		return outcome;
	chain_findings_make(&verify->proof, &verify->findings);
	compare_with_running_key(verify);
	compare_with_last(verify);
	verify->report.spool = verify->spool;
	verify->report.proof = &verify->proof;
	verify->report.findings = &verify->findings;
	return verify_report_print(&verify->report, wants_json);
}

static enum outcome
run(struct verify *verify, bool wants_json)
{
	enum outcome outcome = read_last(verify);

	if (outcome == OUTCOME_OK)
		outcome = chain_key_text_read(verify->key_path, verify->k0);
	if (outcome == OUTCOME_OK)
		outcome = spool_open(verify->path, &verify->spool);
	if (outcome == OUTCOME_OK)
		outcome = verify_spool(verify, wants_json);
	return outcome;
}

enum outcome
audit_verify_run(const struct ctl *ctl, int argc, char **argv)
{
	struct verify *verify = must_alloc(1, sizeof(*verify));
	enum outcome outcome = OUTCOME_USAGE;

	if (read_options(verify, argc, argv))
		outcome = run(verify, ctl->wants_json);
	chain_findings_fini(&verify->findings);
	chain_proof_fini(&verify->proof);
	spool_close(verify->spool);
	explicit_bzero(verify, sizeof(*verify));
	free(verify);
	return outcome;
}
