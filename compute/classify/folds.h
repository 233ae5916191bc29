/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cross-fitting: what is said of an example comes from choices that it had no part in.
 *
 * Examples are dealt into folds; for each fold everything is chosen on the others. Hiding a fold
 * makes its labels unknown, and what is unknown teaches and measures nothing. */
#pragma once

#include "classify/examples.h"

#define ENS_FOLDS 5

/* The first class that the example has; n_classes if it has none. */
guint ens_first_class (const EnsLabels *truth, guint example);

/* How many examples before it have the same first class, for each example. (transfer full) */
guint *ens_deal_turns (const EnsLabels *truth);

/* The fold of each example: dealt out in turn among the examples that have the same first class, so
 * that each fold gets its share of every class. (transfer full) */
guint *ens_deal_folds (const EnsLabels *truth);

/* The labels, those of one fold unknown. (transfer full) */
guint8 *ens_hide_fold (const EnsLabels *truth, const guint *fold, guint hidden);
