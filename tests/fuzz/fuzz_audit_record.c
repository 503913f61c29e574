/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes what a broken sender may put into a record: what decodes is encoded
 * to the same octets, prints within its bound, and a parser that was written
 * apart reads every value back, unless all the room was taken.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "base/audit_record.h"
#include "base/text.h"
#include "tests/support/structured_data.h"

static void
check_value(const struct structured_data *data, const char *name,
    const void *octets, size_t len)
{
	const char *value = structured_data_value(data, name);
	uint8_t out[AUDIT_DETAIL_SIZE];
	size_t out_len;

	property(value == NULL || len > 0);
	if (value == NULL) {
		property(
		    len == 0 || structured_data_value(data, "cut") != NULL);
		return;
	}
	property(text_unquote(out, sizeof(out), &out_len, value));
	property(out_len == len && memcmp(out, octets, len) == 0);
}

static void
check_detail(const struct structured_data *data, const char *detail)
{
	const char *value = structured_data_value(data, "detail");
	uint8_t out[AUDIT_DETAIL_SIZE];
	size_t len;

	if (structured_data_value(data, "cut") == NULL) {
		check_value(data, "detail", detail, strlen(detail));
		return;
	}
	if (value == NULL)
		return; /* something else had no room */
	property(text_unquote(out, sizeof(out), &len, value));
	property(len <= strlen(detail) && memcmp(out, detail, len) == 0);
}

static void
check_print(const struct audit_record *record)
{
	static struct structured_data data;
	static const struct audit_stamp stamp = {
	    .sd_id = "gatewarden@32473",
	    .instance = "gw \"1\"]",
	    .boot_id = "01234567-0123-0123-0123-0123456789ab",
	    .sequence = UINT64_MAX,
	    .delayed = true,
	};
	char out[AUDIT_RECORD_MAX];
	size_t len = audit_record_print(record, &stamp, out), parsed;

	property(len == strlen(out) && len <= AUDIT_RECORD_MAX - 1024);
	for (size_t i = 0; i < len; i++)
		property((unsigned char)out[i] >= 0x20 && out[i] != 0x7f);
	property(text_is_utf8(out, len));
	property(structured_data_parse(out, &parsed, &data));
	property(parsed == len);
	check_value(&data, record->is_claimed ? "claimed" : "identity",
	    record->identity, strlen(record->identity));
	check_value(&data, "asked", record->asked, record->asked_len);
	check_value(&data, "rule", record->rule, strlen(record->rule));
	check_value(
	    &data, "listener", record->listener, strlen(record->listener));
	check_value(
	    &data, "mechanism", record->mechanism, strlen(record->mechanism));
	check_detail(&data, record->detail);
}

static void
check_sentence(const struct audit_record *record)
{
	char out[512];
	size_t len = audit_record_sentence(record, out, sizeof(out));

	property(len == strlen(out));
	for (size_t i = 0; i < len; i++)
		property((unsigned char)out[i] >= 0x20 && out[i] != 0x7f);
	property(audit_record_severity(record) >= 3 &&
		 audit_record_severity(record) <= 6);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct audit_record record;
	uint8_t again[AUDIT_ENCODED_MAX];

	if (!audit_record_decode(data, size, &record))
		return 0;
	property(audit_record_encode(&record, again) == size);
	property(memcmp(again, data, size) == 0);
	check_print(&record);
	check_sentence(&record);
	return 0;
}
