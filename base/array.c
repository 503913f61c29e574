/* SPDX-License-Identifier: ISC */
/* Arrays that grow by one element at a time. */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>

void *
array_room(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	if (count > SIZE_MAX / 2)
		return NULL;
	return reallocarray(array, count == 0 ? 1 : count * 2, size);
}
