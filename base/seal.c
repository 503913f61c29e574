/* SPDX-License-Identifier: ISC */
/* The seal turns plaintext into protected messages and back, in place. */
#include "base/seal.h"

#include "base/must.h"

enum reason
seal_wrap(
    struct seal *seal, uint8_t *token, size_t plain_len, size_t *token_len)
{
	must(plain_len <= seal->plaintext_max);
	return seal->ops->wrap(seal, token, plain_len, token_len);
}

enum reason
seal_unwrap(struct seal *seal, uint8_t *token, size_t token_len,
    uint8_t **plain, size_t *plain_len)
{
	return seal->ops->unwrap(seal, token, token_len, plain, plain_len);
}

enum reason
seal_into_datagram(struct seal *seal)
{
	return seal->ops->into_datagram(seal);
}

void
seal_free(struct seal *seal)
{
	if (seal != NULL)
		seal->ops->free(seal);
}
