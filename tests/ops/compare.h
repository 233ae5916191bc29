/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors that should hold the same numbers. */
#pragma once

#include "harness.h"

/* What a row allows, or 2e-6. */
double test_row_tolerance (const TestRow *row);

/* "[INDEX] is X, expected Y" for the first element that differs by more than this part of the
 * largest magnitude, or, with `each`, of its own; NULL if there is none. Integers have to be equal.
 * (transfer full) */
char *test_compare (const EnsTensor *found, const EnsTensor *expected, double tolerance,
                    gboolean each);
