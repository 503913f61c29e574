/* SPDX-License-Identifier: ISC */
/* The forward-secure chain of audit records. */
#include "base/audit_chain.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "base/must.h"

#define EPOCH_LABEL "gatewarden epoch"

/* Looked up once: that takes longer than a MAC.  It holds no key. */
static EVP_MAC *
hmac(void)
{
	static EVP_MAC *found;

	if (found == NULL)
		found = EVP_MAC_fetch(NULL, "HMAC", NULL);
	must(found != NULL);
	return found;
}

/* HMAC-SHA256 of two texts, one behind the other.  A context of its own each
 * time, since a context keeps a key until it is freed. */
static void
authenticate(const uint8_t key[AUDIT_CHAIN_KEY_SIZE], const void *first,
    size_t first_len, const void *second, size_t second_len,
    uint8_t mac[AUDIT_CHAIN_MAC_SIZE])
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(hmac());
	size_t len = 0;

	must(context != NULL);
	must(EVP_MAC_init(context, key, AUDIT_CHAIN_KEY_SIZE, params) == 1);
	must(EVP_MAC_update(context, first, first_len) == 1);
	must(EVP_MAC_update(context, second, second_len) == 1);
	must(EVP_MAC_final(context, mac, &len, AUDIT_CHAIN_MAC_SIZE) == 1);
	must(len == AUDIT_CHAIN_MAC_SIZE);
	EVP_MAC_CTX_free(context);
}

uint64_t
audit_chain_epoch(uint64_t sequence)
{
	must(sequence > 0);
	return (sequence - 1) / AUDIT_EPOCH_RECORDS;
}

void
audit_chain_init(
    struct audit_chain *chain, const uint8_t k0[AUDIT_CHAIN_KEY_SIZE])
{
	memset(chain, 0, sizeof(*chain));
	memcpy(chain->key, k0, sizeof(chain->key));
}

void
audit_chain_turn(struct audit_chain *chain, uint64_t epoch)
{
	uint8_t next[AUDIT_CHAIN_KEY_SIZE];

	must(epoch >= chain->epoch);
	for (; chain->epoch < epoch; chain->epoch++) {
		authenticate(
		    chain->key, EPOCH_LABEL, strlen(EPOCH_LABEL), "", 0, next);
		memcpy(chain->key, next, sizeof(chain->key));
	}
	explicit_bzero(next, sizeof(next));
}

void
audit_chain_mac(const struct audit_chain *chain,
    const uint8_t before[AUDIT_CHAIN_MAC_SIZE], const void *message, size_t len,
    uint8_t mac[AUDIT_CHAIN_MAC_SIZE])
{
	authenticate(
	    chain->key, before, AUDIT_CHAIN_MAC_SIZE, message, len, mac);
}

void
audit_chain_next(struct audit_chain *chain, uint64_t sequence,
    const void *message, size_t len, uint8_t mac[AUDIT_CHAIN_MAC_SIZE])
{
	audit_chain_turn(chain, audit_chain_epoch(sequence));
	audit_chain_mac(chain, chain->mac, message, len, mac);
	memcpy(chain->mac, mac, sizeof(chain->mac));
}

void
audit_chain_wipe(struct audit_chain *chain)
{
	explicit_bzero(chain, sizeof(*chain));
}
