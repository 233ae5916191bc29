/* What classifiers learn from and are measured on.
 *
 * Labels and the scores judged by them are matrices of n_samples × n_classes, row by row. An
 * example may have several classes, or none. */
#pragma once

#include <glib.h>

typedef struct {
  guint n_samples, n_classes;
  const guint8 *labels; /* n_samples × n_classes: 1 where the class is present, else 0 */
} EnsTruth;

typedef struct {
  EnsTruth truth;
  guint n_features;
  const float *features; /* n_samples × n_features */
} EnsExamples;

static inline gboolean
ens_truth_has (const EnsTruth *truth, guint sample, guint class)
{
  return truth->labels[(gsize)sample * truth->n_classes + class] != 0;
}
