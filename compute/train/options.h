/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers that a user can set by name, as in “svm,c=2”: of heads, of the gate. */
#pragma once

#include "base/error.h"

typedef struct {
  const char *name;
  double value; /* where it is not set */
  double minimum, maximum;
} EnsOption;

/* Tables of options end with one without a name; values are in the same order. */
void ens_options_set_defaults (const EnsOption *options, double *values);

/* Sets one from NAME=VALUE; `owner`, as in “gate cosine”, is for the error, which says what there
 * is.
 */
gboolean ens_options_set (const EnsOption *options, const char *owner, const char *assignment,
                          double *values, GError **error);
