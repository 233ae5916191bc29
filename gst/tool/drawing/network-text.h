/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written of layers where there is little room. */
#pragma once

#include "network-groups.h"

/* Such as "11.8 M". (transfer full) */
char *network_format_count (double n);
/* At most so many characters, the middle left out; any bytes. (transfer full) */
char *network_shorten (const char *text, guint max);
/* Without the batch, such as "56 × 56 × 64". (transfer full) */
char *network_describe_shape (const EnsShape *shape);
/* Such as "Conv 3×3 /2, depthwise". (transfer full) */
char *network_describe_node (const EnsNode *node);
/* The operators of a group but for its main node's; NULL: there are none. (transfer full) */
char *network_describe_rest (const NetworkGroup *group);
