/* SPDX-License-Identifier: ISC */
/* A real context with a raw GSSAPI client on one side and a seal on ours. */
#include "tests/support/unit.h"

#include "tests/support/seal_pair.h"

#include <stdlib.h>
#include <string.h>

struct seal_pair
seal_pair_establish_with(
    const char *keytab, const char *service, OM_uint32 flags)
{
	struct seal_pair pair = {.accept = kerberos_acceptor_with(keytab)};
	struct accept_answer answer;
	char why[256] = "";

	kerberos_establish(pair.accept, &pair.client, service, flags, &answer);
	pair.context = gssctx_import(
	    answer.exported, answer.exported_len, why, sizeof(why));
	assert_string_equal(why, "");
	assert_non_null(pair.context);
	return pair;
}

struct seal_pair
seal_pair_establish(OM_uint32 flags)
{
	return seal_pair_establish_with(
	    "gateway.keytab", KERBEROS_SOCKS, flags);
}

struct seal_pair
seal_pair_make(OM_uint32 flags, enum protection protection)
{
	struct seal_pair pair = seal_pair_establish(flags);

	pair.seal = gssctx_into_seal(pair.context, protection);
	pair.context = NULL;
	assert_non_null(pair.seal);
	return pair;
}

void
seal_pair_end(struct seal_pair *pair)
{
	seal_free(pair->seal);
	gssctx_free(pair->context);
	kerberos_end(&pair->client);
	gssaccept_free(pair->accept);
}

gss_buffer_desc
seal_pair_wrap(
    struct seal_pair *pair, int confidential, const void *text, size_t len)
{
	gss_buffer_desc plain = {
	    .length = len, .value = (void *)(uintptr_t)text};
	gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;

	assert_int_equal(gss_wrap(&minor, pair->client.handle, confidential,
			     GSS_C_QOP_DEFAULT, &plain, NULL, &token),
	    GSS_S_COMPLETE);
	return token;
}

enum reason
seal_pair_open(
    struct seal *seal, const void *token, size_t len, char *text, size_t size)
{
	uint8_t *copy = malloc(len + 1);
	uint8_t *plain;
	size_t plain_len;
	enum reason reason;

	assert_non_null(copy);
	memcpy(copy, token, len);
	reason = seal_unwrap(seal, copy, len, &plain, &plain_len);
	if (reason == REASON_OK) {
		assert_true(plain >= copy && plain + plain_len <= copy + len);
		assert_true(plain_len < size);
		memcpy(text, plain, plain_len);
		text[plain_len] = '\0';
	}
	free(copy);
	return reason;
}

void
seal_pair_assert_opens(
    struct seal *seal, const gss_buffer_desc *token, const char *text)
{
	char opened[256];

	assert_int_equal(seal_pair_open(seal, token->value, token->length,
			     opened, sizeof(opened)),
	    REASON_OK);
	assert_string_equal(opened, text);
}

void
seal_pair_assert_fails(
    struct seal *seal, const gss_buffer_desc *token, enum reason reason)
{
	char opened[256];

	assert_int_equal(seal_pair_open(seal, token->value, token->length,
			     opened, sizeof(opened)),
	    reason);
}

void
seal_pair_drop(gss_buffer_desc *token)
{
	OM_uint32 minor;

	(void)gss_release_buffer(&minor, token);
}
