/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a network's own label layer knows of a data set's classes. */
#pragma once

#include "classify/linear-classifier.h"

typedef struct {
  const char *path;           /* ONNX file; labels are found as train/preprocess.h describes it */
  guint size;                 /* side of the square input */
  const char *tap;            /* the value whose average over positions … */
  guint length;               /* … are the features, so many */
  const char *const *classes; /* NULL-terminated */
} EnsOwnRowsQuery;

typedef struct {
  EnsLinearClassifier *layer; /* features → a value for each of the classes */
  gboolean *has_class;        /* per class: whether the network has a label of it; else zeroes */
  guint n;                    /* of these classes */
} EnsOwnRows;

/* Reads the rows of the labels that are classes; case does not matter, and of a label with several
 * names, “n02834778 bicycle, push-bike”, each is one. NULL if there is none, or if there is more
 * than averages between the tap and the label layer. (transfer full) */
EnsOwnRows *ens_own_rows_find (const EnsOwnRowsQuery *query);
void ens_own_rows_free (EnsOwnRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsOwnRows, ens_own_rows_free)
