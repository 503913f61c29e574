/* SPDX-License-Identifier: ISC */
/* Tests the reader and the writer of octets in network order. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/wire.h"

static void
numbers_are_in_network_order(void **state)
{
	uint8_t out[15];
	struct wire_writer writer;
	struct wire_reader reader;

	(void)state;
	wire_writer_init(&writer, out, sizeof(out));
	wire_put_u8(&writer, 0x01);
	wire_put_u16(&writer, 0x0203);
	wire_put_u32(&writer, 0x04050607);
	wire_put_u64(&writer, 0x08090a0b0c0d0e0f);
	assert_false(writer.failed);
	assert_int_equal(writer.len, sizeof(out));
	for (size_t i = 0; i < sizeof(out); i++)
		assert_int_equal(out[i], i + 1);

	wire_reader_init(&reader, out, sizeof(out));
	assert_int_equal(wire_get_u8(&reader), 0x01);
	assert_int_equal(wire_get_u16(&reader), 0x0203);
	assert_int_equal(wire_get_u32(&reader), 0x04050607);
	assert_false(wire_is_done(&reader));
	assert_true(wire_get_u64(&reader) == 0x08090a0b0c0d0e0f);
	assert_true(wire_is_done(&reader));
}

static void
a_field_cut_anywhere_fails_for_good(void **state)
{
	static const uint8_t octets[8] = {1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	for (size_t len = 0; len < sizeof(octets); len++) {
		struct wire_reader reader;
		size_t counted_len = 1;

		wire_reader_init(&reader, octets, len);
		assert_true(wire_get_u64(&reader) == 0);
		assert_true(reader.failed);
		assert_int_equal(wire_remaining(&reader), len);
		assert_int_equal(wire_get_u8(&reader), 0);
		assert_null(wire_get_bytes(&reader, 0));
		assert_null(wire_get_counted(&reader, &counted_len));
		assert_int_equal(counted_len, 0);
		assert_false(wire_is_done(&reader));
	}
}

static void
counted_octets_come_back(void **state)
{
	uint8_t out[16];
	struct wire_writer writer;
	struct wire_reader reader;
	const uint8_t *bytes;
	size_t len;

	(void)state;
	wire_writer_init(&writer, out, sizeof(out));
	wire_put_counted(&writer, "a\0b", 3);
	wire_put_counted(&writer, NULL, 0);
	assert_false(writer.failed);
	wire_reader_init(&reader, out, writer.len);
	bytes = wire_get_counted(&reader, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "a\0b", 3);
	assert_non_null(wire_get_counted(&reader, &len));
	assert_int_equal(len, 0);
	assert_true(wire_is_done(&reader));
}

static void
a_count_beyond_the_end_fails(void **state)
{
	static const uint8_t octets[] = {0, 0, 0, 3, 'a', 'b'};
	static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 'a'};
	struct wire_reader reader;
	size_t len;

	(void)state;
	wire_reader_init(&reader, octets, sizeof(octets));
	assert_null(wire_get_counted(&reader, &len));
	assert_int_equal(len, 0);
	wire_reader_init(&reader, huge, sizeof(huge));
	assert_null(wire_get_counted(&reader, &len));
	assert_true(reader.failed);
}

static void
strings_fit_or_fail(void **state)
{
	static const struct {
		const char *octets;
		size_t len, size;
		const char *text; /* NULL: fails */
	} rows[] = {
	    {"\0\0\0\3abc", 7, 4, "abc"},
	    {"\0\0\0\3abc", 7, 3, NULL},
	    {"\0\0\0\0", 4, 1, ""},
	    {"\0\0\0\3a\0c", 7, 8, NULL},
	    {"\0\0\0\3ab\0", 7, 8, NULL},
	    {"\0\0\0\4abc", 7, 8, NULL},
	    {"\0\0\0", 3, 8, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct wire_reader reader;
		char text[8] = "unset";

		wire_reader_init(&reader, rows[i].octets, rows[i].len);
		wire_get_string(&reader, text, rows[i].size);
		assert_int_equal(reader.failed, rows[i].text == NULL);
		assert_string_equal(
		    text, rows[i].text == NULL ? "" : rows[i].text);
	}
}

static void
a_writer_that_is_full_writes_nothing_more(void **state)
{
	uint8_t out[4] = {9, 9, 9, 9};
	struct wire_writer writer;

	(void)state;
	wire_writer_init(&writer, out, 3);
	wire_put_u16(&writer, 0x0102);
	wire_put_u16(&writer, 0x0304);
	assert_true(writer.failed);
	wire_put_u8(&writer, 5);
	assert_int_equal(writer.len, 2);
	assert_memory_equal(out, "\1\2\t\t", 4);
}

static void
strings_are_counted_too(void **state)
{
	uint8_t out[16];
	struct wire_writer writer;

	(void)state;
	wire_writer_init(&writer, out, sizeof(out));
	wire_put_string(&writer, "hi");
	assert_int_equal(writer.len, 6);
	assert_memory_equal(out, "\0\0\0\2hi", 6);
}

static void
a_count_that_needs_more_than_32_bits_fails(void **state)
{
	uint8_t out[16];
	struct wire_writer writer;

	(void)state;
	wire_writer_init(&writer, out, sizeof(out));
	wire_put_counted(&writer, out, (size_t)UINT32_MAX + 1);
	assert_true(writer.failed);
	assert_int_equal(writer.len, 0);
}

static void
no_data_is_a_message_without_octets(void **state)
{
	struct wire_reader reader;

	(void)state;
	wire_reader_init(&reader, NULL, 0);
	assert_true(wire_is_done(&reader));
	assert_non_null(wire_get_bytes(&reader, 0));
	assert_int_equal(wire_get_u8(&reader), 0);
	assert_true(reader.failed);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_in_network_order),
	    cmocka_unit_test(a_field_cut_anywhere_fails_for_good),
	    cmocka_unit_test(counted_octets_come_back),
	    cmocka_unit_test(a_count_beyond_the_end_fails),
	    cmocka_unit_test(strings_fit_or_fail),
	    cmocka_unit_test(a_writer_that_is_full_writes_nothing_more),
	    cmocka_unit_test(strings_are_counted_too),
	    cmocka_unit_test(a_count_that_needs_more_than_32_bits_fails),
	    cmocka_unit_test(no_data_is_a_message_without_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
