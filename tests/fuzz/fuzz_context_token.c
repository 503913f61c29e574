/* SPDX-License-Identifier: ISC */
/* Fuzzes what is seen of a context token from outside. */
#include "tests/fuzz/fuzz.h"

#include "base/context_token.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum context_mech mech = context_token_mech(data, size);

	property(mech <= CONTEXT_MECH_OTHER);
	/* Nothing that is cut holds together. */
	if (context_token_is_whole(data, size))
		for (size_t cut = 0; cut < size; cut++)
			property(!context_token_is_whole(data, cut));
	return 0;
}
