/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What classifiers learn from and are measured on.
 *
 * Labels and scores are matrices of n_samples × n_classes, row by row. An
 * example may have several classes, or none, and of some nobody may know whether it has them: such
 * a label teaches nothing and is measured on nothing. */
#pragma once

#include <glib.h>

/* Values of labels. */
enum { ENS_LABEL_ABSENT, ENS_LABEL_PRESENT, ENS_LABEL_UNKNOWN };

typedef struct {
  guint n_samples, n_classes;
  const guint8 *labels; /* n_samples × n_classes */
} EnsLabels;

typedef struct {
  EnsLabels truth;
  guint n_features;
  const float *features; /* n_samples × n_features */
  gboolean root; /* what learns gets their signed square roots (classify/linear-classifier.h) */
} EnsExamples;

/* Images and windows of each: image i has the windows first[i] … first[i + 1] - 1, rows of
 * `windows` with as many features as the images'. */
typedef struct {
  EnsExamples images;
  const guint *first; /* n_samples + 1 */
  const float *windows;
} EnsBags;

static inline gboolean
ens_labels_has (const EnsLabels *truth, guint sample, guint class)
{
  return truth->labels[(gsize)sample * truth->n_classes + class] == ENS_LABEL_PRESENT;
}

static inline gboolean
ens_labels_knows (const EnsLabels *truth, guint sample, guint class)
{
  return truth->labels[(gsize)sample * truth->n_classes + class] != ENS_LABEL_UNKNOWN;
}
