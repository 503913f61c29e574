/* SPDX-License-Identifier: ISC */
/* The PROXY protocol's header, version 1 and version 2, parsed. */
#include "base/proxy_protocol.h"

#include <string.h>

#include "base/text.h"
#include "base/wire.h"

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* ---- version 1: a line of text */

#define LINE_BEGIN	"PROXY "
#define LINE_BEGIN_LEN	6
#define LINE_FIELD_SIZE ADDRESS_TEXT_SIZE

/* What is left of the line. */
struct line {
	const char *at, *end;
};

/* The next field, up to a space or the end; false if it is too long. */
static bool
take_field(struct line *line, char out[LINE_FIELD_SIZE])
{
	size_t left = (size_t)(line->end - line->at);
	const char *space = memchr(line->at, ' ', left);
	size_t len = space != NULL ? (size_t)(space - line->at) : left;

	if (len >= LINE_FIELD_SIZE)
		return false;
	memcpy(out, line->at, len);
	out[len] = '\0';
	line->at += len;
	if (space != NULL)
		line->at++;
	/* A NUL inside would end it for who reads it as text. */
	return strlen(out) == len;
}

static bool
take_address(struct line *line, bool is_ipv6, struct address *address)
{
	char field[LINE_FIELD_SIZE];

	/* A mapped address is held as IPv4, but was written as IPv6. */
	return take_field(line, field) &&
	       (strchr(field, ':') != NULL) == is_ipv6 &&
	       address_parse(field, address);
}

static bool
take_port(struct line *line, uint16_t *port)
{
	char field[LINE_FIELD_SIZE];
	uint64_t value;

	if (!take_field(line, field) ||
	    !text_parse_u64(field, 0, UINT16_MAX, &value))
		return false;
	*port = (uint16_t)value;
	return true;
}

/* The line behind LINE_BEGIN, without CR LF. */
static bool
read_line(struct line line, struct proxy_header *header)
{
	char family[LINE_FIELD_SIZE];
	struct socket_address destination;
	bool is_ipv6;

	if (!take_field(&line, family))
		return false;
	if (strcmp(family, "UNKNOWN") == 0) {
		/* What follows says nothing. */
		header->origin = PROXY_UNKNOWN;
		return true;
	}
	is_ipv6 = strcmp(family, "TCP6") == 0;
	if (!is_ipv6 && strcmp(family, "TCP4") != 0)
		return false;
	header->origin = PROXY_CLIENT;
	return take_address(&line, is_ipv6, &header->client.address) &&
	       take_address(&line, is_ipv6, &destination.address) &&
	       take_port(&line, &header->client.port) &&
	       /* A space at the end is one too many. */
	       take_port(&line, &destination.port) && line.at == line.end &&
	       line.end[-1] != ' ';
}

static enum parse_result
parse_line(
    const char *text, size_t len, size_t *consumed, struct proxy_header *header)
{
	size_t known = least(len, PROXY_PROTOCOL_LINE_MAX);
	const char *end;

	if (memcmp(text, LINE_BEGIN, least(len, LINE_BEGIN_LEN)) != 0)
		return PARSE_BAD;
	end = memmem(text, known, "\r\n", 2);
	if (end == NULL)
		return known < PROXY_PROTOCOL_LINE_MAX ? PARSE_MORE : PARSE_BAD;
	*consumed = (size_t)(end - text) + 2;
	return read_line((struct line){text + LINE_BEGIN_LEN, end}, header)
		   ? PARSE_DONE
		   : PARSE_BAD;
}

/* ---- version 2: binary */

#define SIGNATURE     "\r\n\r\n\0\r\nQUIT\n"
#define SIGNATURE_LEN 12
#define HEADER_LEN    16

/* The low half of the octet behind the signature; the high one is 2. */
enum { VERSION_LOCAL = 0x20, VERSION_PROXY = 0x21 };

/* Family and transport, and what their addresses take. */
enum {
	KIND_UNSPEC = 0x00,
	KIND_TCP4 = 0x11,
	KIND_TCP6 = 0x21,
	KIND_UNIX = 0x31
};
enum { TCP4_LEN = 12, TCP6_LEN = 36, UNIX_LEN = 216 };

#define TLV_CRC32C     0x03
#define TLV_CRC32C_LEN 4

/* RFC 3720 appendix B.4, bit by bit: headers are short and few. */
static uint32_t
crc32c_add(uint32_t crc, uint8_t octet)
{
	crc ^= octet;
	for (int bit = 0; bit < 8; bit++)
		crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
	return crc;
}

/* The checksum of the header, its own four octets at `at` taken as zero. */
static uint32_t
checksum(const uint8_t *data, size_t len, size_t at)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++)
		crc = crc32c_add(crc, i - at < TLV_CRC32C_LEN ? 0 : data[i]);
	return ~crc;
}

/* Walks the TLVs to the header's end. */
static bool
check_tlvs(struct wire_reader *reader)
{
	bool has_checksum = false;
	uint32_t sum = 0;
	size_t at = 0;

	while (!reader->failed && wire_remaining(reader) > 0) {
		uint8_t type = wire_get_u8(reader);
		uint16_t len = wire_get_u16(reader);

		if (type != TLV_CRC32C) {
			(void)wire_get_bytes(reader, len);
			continue;
		}
		if (has_checksum || len != TLV_CRC32C_LEN)
			return false;
		has_checksum = true;
		at = reader->at;
		sum = wire_get_u32(reader);
	}
	return !reader->failed &&
	       (!has_checksum ||
		   sum == checksum(reader->data, reader->len, at));
}

/* What the addresses of that kind take; false for what no TCP client has. */
static bool
kind_length(uint8_t kind, size_t *len)
{
	static const struct {
		uint8_t kind, len;
	} kinds[] = {
	    {KIND_UNSPEC, 0},
	    {KIND_TCP4, TCP4_LEN},
	    {KIND_TCP6, TCP6_LEN},
	    {KIND_UNIX, UNIX_LEN},
	};

	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		*len = kinds[i].len;
		if (kinds[i].kind == kind)
			return true;
	}
	return false;
}

/* A whole header: the reader stands behind its length. */
static bool
read_addresses(
    struct wire_reader *reader, uint8_t kind, struct proxy_header *header)
{
	size_t host_len = kind == KIND_TCP4 ? 4 : 16, len;
	const uint8_t *source;

	(void)kind_length(kind, &len);
	header->origin = PROXY_UNKNOWN;
	if (kind == KIND_UNSPEC)
		return true; /* what follows has no known form */
	if (kind == KIND_UNIX) {
		(void)wire_get_bytes(reader, len);
		return check_tlvs(reader);
	}
	header->origin = PROXY_CLIENT;
	source = wire_get_bytes(reader, host_len);
	(void)wire_get_bytes(reader, host_len);
	header->client.port = wire_get_u16(reader);
	(void)wire_get_u16(reader);
	header->client.address = kind == KIND_TCP4 ? address_from_ipv4(source)
						   : address_from_ipv6(source);
	return check_tlvs(reader);
}

static enum parse_result
parse_binary(const uint8_t *data, size_t len, size_t *consumed,
    struct proxy_header *header)
{
	struct wire_reader reader;
	uint8_t version, kind;
	size_t total, least_len;

	if (memcmp(data, SIGNATURE, least(len, SIGNATURE_LEN)) != 0)
		return PARSE_BAD;
	wire_reader_init(&reader, data, len);
	(void)wire_get_bytes(&reader, SIGNATURE_LEN);
	version = wire_get_u8(&reader);
	kind = wire_get_u8(&reader);
	total = HEADER_LEN + (size_t)wire_get_u16(&reader);
	if (reader.failed)
		return PARSE_MORE;
	if ((version != VERSION_LOCAL && version != VERSION_PROXY) ||
	    total > PROXY_PROTOCOL_MAX)
		return PARSE_BAD;
	if (version == VERSION_PROXY &&
	    (!kind_length(kind, &least_len) || total < HEADER_LEN + least_len))
		return PARSE_BAD;
	if (len < total)
		return PARSE_MORE;
	*consumed = total;
	header->origin = PROXY_LOCAL;
	reader.len = total;
	if (version == VERSION_PROXY && !read_addresses(&reader, kind, header))
		return PARSE_BAD;
	return PARSE_DONE;
}

enum parse_result
proxy_protocol_parse(
    const void *data, size_t len, size_t *consumed, struct proxy_header *header)
{
	const uint8_t *octets = data;

	*header = (struct proxy_header){.origin = PROXY_UNKNOWN};
	if (len == 0)
		return PARSE_MORE;
	return octets[0] == SIGNATURE[0]
		   ? parse_binary(octets, len, consumed, header)
		   : parse_line(data, len, consumed, header);
}
