/* SPDX-License-Identifier: ISC */
/*
 * Whatever is done to a spool of 10 000 records is found, and named; nothing
 * else is said.
 *
 * A trial begins with the lines as they were written, and does something to
 * them at a place that is drawn by lot.
 */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/audit_chain_key.h"
#include "base/audit_chain_line.h"
#include "base/must.h"
#include "ctl/chain_findings.h"
#include "ctl/chain_proof.h"
#include "ctl/chain_sentence.h"
#include "ctl/spool.h"
#include "tests/support/spool_writer.h"

#define RECORDS	  10000
#define SEGMENT	  3000
#define TRIALS	  12
#define LINE_SIZE 1024

static struct spool_writer writer;
/* As they were written, with their ends; lines[0] is record 1. */
static char *written[RECORDS];
/* What becomes of them. */
static size_t count;
static char *lines[RECORDS + 8];

static struct chain_proof proof;
static struct chain_findings findings;

/* ---- the spool */

static int
write_once(void **state)
{
	size_t at = 0;

	(void)state;
	srand(20261126);
	spool_writer_open(&writer, SEGMENT);
	spool_writer_append(&writer, RECORDS);
	for (uint64_t first = 1; first <= RECORDS; first += SEGMENT) {
		size_t len;
		char *text = spool_writer_get(&writer, first, &len);
		char *rest = text, *line;

		while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
			must(asprintf(&written[at++], "%s\n", line) > 0);
		}
		free(text);
	}
	return at == RECORDS ? 0 : -1;
}

static int
remove_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < RECORDS; i++)
		free(written[i]);
	spool_writer_close(&writer);
	return 0;
}

static void
begin(void)
{
	count = RECORDS;
	for (size_t i = 0; i < count; i++) {
		lines[i] = must_strdup(written[i]);
	}
}

/* Line i of the spool, from 0 on, goes. */
static char *
take_out(size_t i)
{
	char *line = lines[i];

	memmove(&lines[i], &lines[i + 1], (--count - i) * sizeof(lines[0]));
	return line;
}

static void
put_in(size_t i, const char *line)
{
	memmove(&lines[i + 1], &lines[i], (count++ - i) * sizeof(lines[0]));
	lines[i] = must_strdup(line);
}

static void
write_lines(void)
{
	char *text = must_alloc(SEGMENT + 8, LINE_SIZE);
	size_t len = 0;
	uint64_t first = 1;

	for (size_t i = 0; i < count; i++) {
		size_t more = strlen(lines[i]);

		memcpy(text + len, lines[i], more);
		len += more;
		free(lines[i]);
		if ((i + 1) % SEGMENT == 0 || i + 1 == count) {
			spool_writer_put(&writer, first, text, len);
			first += SEGMENT;
			len = 0;
		}
	}
	for (; first <= RECORDS; first += SEGMENT)
		spool_writer_put(&writer, first, "", 0);
	free(text);
}

static void
verify_by(const uint8_t key[AUDIT_CHAIN_KEY_SIZE])
{
	struct spool *spool;

	assert_int_equal(spool_open(writer.spool, &spool), OUTCOME_OK);
	assert_int_equal(chain_proof_make(spool, key, &proof), OUTCOME_OK);
	chain_findings_make(&proof, &findings);
	spool_close(spool);
}

static void
verify(void)
{
	uint8_t key[AUDIT_CHAIN_KEY_SIZE];

	write_lines();
	spool_writer_key(key);
	verify_by(key);
}

static void
forget(void)
{
	chain_findings_fini(&findings);
	chain_proof_fini(&proof);
}

/* The n-th finding; at line `line` of the whole spool, from 1 on; 0: anywhere.
 */
static void
assert_finding(size_t n, enum chain_finding_kind kind, uint64_t first,
    uint64_t last, uint64_t line)
{
	const struct chain_finding *finding;

	assert_true(n < findings.count);
	finding = &findings.list[n];
	assert_int_equal(finding->kind, kind);
	assert_int_equal(finding->first, first);
	assert_int_equal(finding->last, last);
	if (line == 0)
		return;
	assert_non_null(finding->entry);
	assert_int_equal(
	    finding->entry->segment * SEGMENT + finding->entry->number, line);
}

/* The one finding. */
static void
assert_found(
    enum chain_finding_kind kind, uint64_t first, uint64_t last, uint64_t line)
{
	assert_int_equal(findings.count, 1);
	assert_finding(0, kind, first, last, line);
	forget();
}

/* Neither the first line nor the last. */
static size_t
draw(void)
{
	return 1 + (size_t)rand() % (RECORDS - 2);
}

/* ---- nothing was done */

static void
what_was_written_is_proved(void **state)
{
	(void)state;
	begin();
	verify();
	assert_int_equal(findings.count, 0);
	assert_int_equal(findings.first, 1);
	assert_int_equal(findings.last, RECORDS);
	assert_int_equal(findings.unproved_count, 0);
	assert_false(findings.has_anchor);
	assert_null(findings.torn);
	assert_int_equal(proof.proved_count, RECORDS);
	forget();
}

static void
an_empty_spool_has_nothing_wrong(void **state)
{
	(void)state;
	begin();
	while (count > 0)
		free(take_out(count - 1));
	verify();
	assert_int_equal(findings.count, 0);
	assert_int_equal(findings.last, 0);
	forget();
}

static void
another_key_is_one_finding(void **state)
{
	uint8_t key[AUDIT_CHAIN_KEY_SIZE] = {0};

	(void)state;
	begin();
	write_lines();
	verify_by(key);
	assert_found(CHAIN_WRONG_KEY, 1, RECORDS, 0);
}

/* ---- edited */

/* An octet behind the number, which is not looked at here. */
static void
edit_text(char *line)
{
	char *mark = strstr(line, " time=\"");
	size_t len;

	must(mark != NULL);
	len = strlen(mark) - 1;
	mark[(size_t)rand() % len] ^= 1 << rand() % 3;
}

static void
a_text_that_was_edited_is_found(void **state)
{
	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		size_t i = draw();

		begin();
		edit_text(lines[i]);
		/* What makes two lines of one is another test's. */
		if (strchr(lines[i], '\n') != lines[i] + strlen(lines[i]) - 1)
			memcpy(lines[i] + 200, "X", 1);
		verify();
		assert_found(CHAIN_TEXT_CHANGED, i + 1, i + 1, i + 1);
	}
}

static void
the_first_and_the_last_can_be_edited_too(void **state)
{
	(void)state;
	begin();
	memcpy(lines[0] + 200, "X", 1);
	verify();
	assert_found(CHAIN_TEXT_CHANGED, 1, 1, 1);
	begin();
	memcpy(lines[RECORDS - 1] + 200, "X", 1);
	verify();
	assert_found(CHAIN_CHANGED, RECORDS, RECORDS, RECORDS);
}

static void
a_mac_that_was_edited_is_found(void **state)
{
	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		size_t i = draw(), at = (size_t)rand() % 64;

		begin();
		lines[i][at] = lines[i][at] == '0' ? '1' : '0';
		verify();
		assert_found(CHAIN_MAC_CHANGED, i + 1, i + 1, i + 1);
	}
}

static void
a_record_whose_text_and_mac_were_edited_is_found(void **state)
{
	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		size_t i = draw();

		begin();
		lines[i][3] = lines[i][3] == '0' ? '1' : '0';
		memcpy(lines[i] + 200, "X", 1);
		verify();
		assert_int_equal(
		    findings.unproved_count, i + 1 < RECORDS - 1 ? 1 : 0);
		assert_int_equal(findings.count, 1);
		assert_int_equal(findings.list[0].kind, CHAIN_CHANGED);
		assert_int_equal(findings.list[0].first, i + 1);
		forget();
	}
}

static void
a_number_that_was_edited_is_found(void **state)
{
	static const char *const numbers[] = {
	    "1", "20000", "18446744073709551615", "9999"};

	(void)state;
	for (size_t trial = 0; trial < ARRAY_COUNT(numbers); trial++) {
		size_t i = 2000 + draw() / 2;
		char line[LINE_SIZE], *mark;

		begin();
		mark = strstr(lines[i], "seq=\"");
		assert_non_null(mark);
		(void)snprintf(line, sizeof(line), "%.*s%s%s",
		    (int)(mark + 5 - lines[i]), lines[i], numbers[trial],
		    strchr(mark + 5, '"'));
		free(take_out(i));
		put_in(i, line);
		verify();
		assert_found(CHAIN_NUMBER_CHANGED, i + 1, i + 1, i + 1);
	}
}

static void
a_line_that_was_overwritten_is_found(void **state)
{
	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		size_t i = draw();

		begin();
		memset(lines[i], 'x', strlen(lines[i]) - 1);
		verify();
		/* The one behind it has nothing to be proved by. */
		assert_int_equal(findings.unproved_count, 1);
		assert_found(CHAIN_OVERWRITTEN, i + 1, i + 1, i + 1);
	}
}

/* By somebody who has no key, or not yet: all from there on. */
static void
a_tail_that_was_forged_is_one_finding(void **state)
{
	struct audit_chain chain;
	uint8_t key[AUDIT_CHAIN_KEY_SIZE] = {9}, mac[AUDIT_CHAIN_MAC_SIZE];
	size_t i = draw();

	(void)state;
	begin();
	audit_chain_init(&chain, key);
	for (size_t at = i; at < count; at++) {
		char prefix[AUDIT_CHAIN_PREFIX + 1];

		memcpy(lines[at] + 200, "X", 1);
		audit_chain_next(&chain, at + 1, lines[at] + AUDIT_CHAIN_PREFIX,
		    strlen(lines[at]) - AUDIT_CHAIN_PREFIX - 1, mac);
		audit_chain_line_prefix(mac, prefix);
		memcpy(lines[at], prefix, AUDIT_CHAIN_PREFIX);
	}
	verify();
	assert_found(CHAIN_CHANGED, i + 1, RECORDS, i + 1);
}

/* Who has the key of an epoch can forge from there on: the chain does not say
 * otherwise, and the manual does not. */
static void
the_running_key_can_forge_its_own_epoch_and_no_other(void **state)
{
	struct audit_chain chain = writer.chain;
	uint64_t first = chain.epoch * AUDIT_EPOCH_RECORDS + 1;
	char prefix[AUDIT_CHAIN_PREFIX + 1];
	struct audit_chain_line before;

	(void)state;
	begin();
	assert_true(audit_chain_line_parse(
	    lines[first - 2], strlen(lines[first - 2]) - 1, &before));
	memcpy(chain.mac, before.mac, sizeof(chain.mac));
	for (size_t at = first - 1; at < count; at++) {
		uint8_t mac[AUDIT_CHAIN_MAC_SIZE];

		memcpy(lines[at] + 200, "X", 1);
		audit_chain_next(&chain, at + 1, lines[at] + AUDIT_CHAIN_PREFIX,
		    strlen(lines[at]) - AUDIT_CHAIN_PREFIX - 1, mac);
		audit_chain_line_prefix(mac, prefix);
		memcpy(lines[at], prefix, AUDIT_CHAIN_PREFIX);
	}
	verify();
	assert_int_equal(findings.count, 0);
	forget();
}

/* ---- dropped */

static void
a_record_that_was_dropped_is_found(void **state)
{
	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		size_t i = draw();

		begin();
		free(take_out(i));
		verify();
		assert_int_equal(findings.unproved_count, 1);
		assert_found(CHAIN_DROPPED, i + 1, i + 1, i + 1);
	}
}

static void
a_segment_that_was_dropped_is_found(void **state)
{
	(void)state;
	begin();
	write_lines();
	spool_writer_remove(&writer, SEGMENT + 1);
	{
		uint8_t key[AUDIT_CHAIN_KEY_SIZE];

		spool_writer_key(key);
		verify_by(key);
	}
	assert_found(CHAIN_DROPPED, SEGMENT + 1, 2 * SEGMENT, 0);
}

/* Retention takes the oldest away: that is no finding, but it is said. */
static void
what_begins_later_is_anchored(void **state)
{
	uint8_t key[AUDIT_CHAIN_KEY_SIZE];

	(void)state;
	begin();
	write_lines();
	spool_writer_remove(&writer, 1);
	spool_writer_key(key);
	verify_by(key);
	assert_int_equal(findings.count, 0);
	assert_true(findings.has_anchor);
	assert_int_equal(findings.first, SEGMENT + 1);
	assert_int_equal(findings.unproved_count, 1);
	assert_int_equal(proof.proved_count, RECORDS - SEGMENT - 1);
	forget();
}

/* The auditor lost its last records in a crash and went on in another epoch:
 * it chains behind what is there. */
static void
what_the_auditor_lost_itself_is_told_apart(void **state)
{
	struct spool_writer other;
	struct spool *spool;
	uint8_t key[AUDIT_CHAIN_KEY_SIZE];

	(void)state;
	spool_writer_open(&other, 10000);
	spool_writer_append(&other, 1000);
	other.sequence = 2048;
	spool_writer_append(&other, 10);
	spool_writer_key(key);
	assert_int_equal(spool_open(other.spool, &spool), OUTCOME_OK);
	assert_int_equal(chain_proof_make(spool, key, &proof), OUTCOME_OK);
	chain_findings_make(&proof, &findings);
	spool_close(spool);
	spool_writer_close(&other);
	assert_int_equal(proof.proved_count, 1010);
	assert_found(CHAIN_LOST, 1001, 2048, 0);
}

/* ---- inserted */

static void
a_record_that_was_forged_and_inserted_is_found(void **state)
{
	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		size_t i = draw();
		char line[LINE_SIZE];

		/* It says the number of the one before, or of the one behind.
		 */
		begin();
		must(strlcpy(line, lines[trial % 2 == 0 ? i : i - 1],
			 sizeof(line)) < sizeof(line));
		line[5] = line[5] == '0' ? '1' : '0';
		memcpy(line + 200, "X", 1);
		put_in(i, line);
		verify();
		assert_found(CHAIN_INSERTED, trial % 2 == 0 ? i + 1 : i,
		    trial % 2 == 0 ? i + 1 : i, i + 1);
	}
}

static void
a_record_that_was_inserted_once_more_is_found(void **state)
{
	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		size_t i = draw(), copied = (size_t)rand() % i;

		begin();
		put_in(i, lines[copied]);
		verify();
		assert_found(CHAIN_COPIED, copied + 1, copied + 1, i + 1);
	}
}

static void
a_line_that_is_no_record_is_found(void **state)
{
	static const char *const foreign[] = {"\n", "hello\n", " \n"};

	(void)state;
	for (size_t trial = 0; trial < ARRAY_COUNT(foreign); trial++) {
		size_t i = draw();

		begin();
		put_in(i, foreign[trial]);
		verify();
		assert_found(CHAIN_INSERTED, 0, 0, i + 1);
	}
}

/* ---- put into another order */

static void
two_records_that_were_swapped_are_found(void **state)
{
	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		size_t i = draw(), j = trial % 3 == 0 ? i + 1 : draw();
		char *line;

		if (i == j)
			continue;
		if (i > j) {
			size_t other = i;

			i = j;
			j = other;
		}
		begin();
		line = lines[i];
		lines[i] = lines[j];
		lines[j] = line;
		verify();
		assert_int_equal(findings.unproved_count, 0);
		assert_int_equal(findings.count, 1);
		assert_int_equal(findings.list[0].other, j + 1);
		assert_found(CHAIN_SWAPPED, i + 1, 0, i + 1);
	}
}

static void
a_record_that_was_moved_is_found(void **state)
{
	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		size_t from = draw(), to = draw();
		char *line;

		if (from + 1 == to || from == to || to + 1 == from)
			continue;
		begin();
		line = take_out(from);
		put_in(to, line);
		free(line);
		verify();
		assert_found(CHAIN_MOVED, from + 1, from + 1, to + 1);
	}
}

static void
a_block_that_was_moved_is_found(void **state)
{
	char *moved[3];

	(void)state;
	begin();
	for (size_t i = 0; i < 3; i++)
		moved[i] = take_out(5000);
	for (size_t i = 0; i < 3; i++) {
		put_in(5010 + i, moved[i]);
		free(moved[i]);
	}
	verify();
	assert_found(CHAIN_MISORDERED, 5001, 5013, 5001);
}

/* ---- the end */

static void
a_line_that_was_broken_off_is_no_finding(void **state)
{
	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		size_t len;

		begin();
		len = 1 + (size_t)rand() % (strlen(lines[count - 1]) - 2);
		lines[count - 1][len] = '\0';
		verify();
		assert_int_equal(findings.count, 0);
		assert_int_equal(findings.last, RECORDS - 1);
		assert_non_null(findings.torn);
		assert_int_equal(findings.torn->number, RECORDS % SEGMENT);
		forget();
	}
}

static void
a_last_line_without_its_end_is_whole_if_it_is_proved(void **state)
{
	(void)state;
	begin();
	*strchr(lines[count - 1], '\n') = '\0';
	verify();
	assert_int_equal(findings.count, 0);
	assert_int_equal(findings.last, RECORDS);
	assert_null(findings.torn);
	forget();
}

/* ---- more than one thing */

static void
each_of_several_things_is_named(void **state)
{
	char *line;

	(void)state;
	begin();
	line = lines[8000];
	lines[8000] = lines[9000];
	lines[9000] = line;
	free(take_out(7000));
	put_in(5000, "hello\n");
	memcpy(lines[1000] + 200, "X", 1);
	verify();
	assert_int_equal(findings.count, 4);
	assert_finding(0, CHAIN_TEXT_CHANGED, 1001, 1001, 1001);
	assert_finding(1, CHAIN_INSERTED, 0, 0, 5001);
	assert_finding(2, CHAIN_DROPPED, 7001, 7001, 7002);
	assert_finding(3, CHAIN_SWAPPED, 8001, 0, 8001);
	forget();
}

/* Whatever is in the folder, it comes to an end. */
static void
many_copies_of_a_record_are_no_burden(void **state)
{
	size_t copies = 0;

	(void)state;
	begin();
	for (size_t i = 100; i < RECORDS; i++) {
		free(lines[i]);
		lines[i] = must_strdup(written[i % 2 == 0 ? 50 : 51]);
		lines[i][4] = lines[i][4] == '0' ? '1' : '0';
	}
	verify();
	for (size_t i = 0; i < findings.count; i++)
		copies += findings.list[i].kind == CHAIN_INSERTED ||
			  findings.list[i].kind == CHAIN_NUMBER_CHANGED;
	assert_int_equal(copies, RECORDS - 100);
	forget();
}

static void
every_kind_has_words(void **state)
{
	(void)state;
	for (int kind = 0; kind < CHAIN_FINDING_KINDS; kind++)
		for (uint64_t last = 0; last < 10; last += 9) {
			const struct chain_finding finding = {
			    .kind = (enum chain_finding_kind)kind,
			    .first = last == 0 ? 0 : 4,
			    .last = last,
			    .other = last,
			};
			char *text = NULL;
			size_t len = 0;
			FILE *out = open_memstream(&text, &len);

			assert_non_null(out);
			chain_sentence_print(&finding, out);
			assert_int_equal(fclose(out), 0);
			assert_true(len > 10);
			assert_null(strchr(text, '%'));
			assert_non_null(chain_sentence_name(finding.kind));
			free(text);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_written_is_proved),
	    cmocka_unit_test(an_empty_spool_has_nothing_wrong),
	    cmocka_unit_test(another_key_is_one_finding),
	    cmocka_unit_test(a_text_that_was_edited_is_found),
	    cmocka_unit_test(the_first_and_the_last_can_be_edited_too),
	    cmocka_unit_test(a_mac_that_was_edited_is_found),
	    cmocka_unit_test(a_record_whose_text_and_mac_were_edited_is_found),
	    cmocka_unit_test(a_number_that_was_edited_is_found),
	    cmocka_unit_test(a_line_that_was_overwritten_is_found),
	    cmocka_unit_test(a_tail_that_was_forged_is_one_finding),
	    cmocka_unit_test(
		the_running_key_can_forge_its_own_epoch_and_no_other),
	    cmocka_unit_test(a_record_that_was_dropped_is_found),
	    cmocka_unit_test(a_segment_that_was_dropped_is_found),
	    cmocka_unit_test(what_begins_later_is_anchored),
	    cmocka_unit_test(what_the_auditor_lost_itself_is_told_apart),
	    cmocka_unit_test(a_record_that_was_forged_and_inserted_is_found),
	    cmocka_unit_test(a_record_that_was_inserted_once_more_is_found),
	    cmocka_unit_test(a_line_that_is_no_record_is_found),
	    cmocka_unit_test(two_records_that_were_swapped_are_found),
	    cmocka_unit_test(a_record_that_was_moved_is_found),
	    cmocka_unit_test(a_block_that_was_moved_is_found),
	    cmocka_unit_test(a_line_that_was_broken_off_is_no_finding),
	    cmocka_unit_test(
		a_last_line_without_its_end_is_whole_if_it_is_proved),
	    cmocka_unit_test(each_of_several_things_is_named),
	    cmocka_unit_test(many_copies_of_a_record_are_no_burden),
	    cmocka_unit_test(every_kind_has_words),
	};

	return cmocka_run_group_tests(tests, write_once, remove_all);
}
