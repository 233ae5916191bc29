/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What passes ask of Pad. */
#pragma once

#include "ops/operands.h"
#include "ops/params.h"

/* The pads of every axis, and the value, of a Pad whose input's rank is known. FALSE if they are
 * not known before running. */
gboolean ens_pad_read (const EnsNode *node, EnsPadParams *params);
