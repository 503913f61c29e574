/* SPDX-License-Identifier: ISC */
/* The settings that concern a helper, as options for its link. */
#ifndef GATEWAY_HELPER_OPTIONS_H
#define GATEWAY_HELPER_OPTIONS_H

#include "base/role.h"

struct options;
struct settings;

/* Adds each setting of the sections that concern that role, under
 * "section.name", and "gateway.log_level" for all. */
void helper_options_add(
    struct options *options, enum role role, const struct settings *settings);

#endif
