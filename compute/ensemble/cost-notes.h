/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people should know of a bundle's costs before there is a frame: a few figures in its
 * description can ask for gigabytes and many seconds. */
#pragma once

#include "ensemble/ensemble.h"

G_BEGIN_DECLS

/* Adds a sentence, (transfer full), for each network that can't take even a square frame within the
 * device's limits, or that needs much more for one than networks do. */
void ens_cost_notes_add (EnsEnsemble *ensemble, GPtrArray *notes);

G_END_DECLS
