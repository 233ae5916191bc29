/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a network repeats itself. */
#pragma once

#include "network-groups.h"

#define NETWORK_NO_GROUP G_MAXUINT

/* Where a value is computed. group: NETWORK_NO_GROUP if it does not depend on the inputs. */
typedef struct {
  guint group, node; /* node: of the group */
} NetworkPlace;

/* by_value: of each of the graph's values. NetworkRepeat. (transfer full) */
GArray *network_find_repeats (const NetworkGroups *groups, const NetworkPlace *by_value);
