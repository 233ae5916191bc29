/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/folds.h"

#include <string.h>

guint
ens_first_class (const EnsLabels *truth, guint example)
{
  guint first = 0;

  while (first < truth->n_classes && !ens_labels_has (truth, example, first))
    first++;
  return first;
}

guint *
ens_deal_turns (const EnsLabels *truth)
{
  guint *turns = g_new (guint, truth->n_samples);
  g_autofree guint *next = g_new0 (guint, truth->n_classes + 1);

  for (guint i = 0; i < truth->n_samples; i++)
    turns[i] = next[ens_first_class (truth, i)]++;
  return turns;
}

guint *
ens_deal_folds (const EnsLabels *truth)
{
  guint *fold = ens_deal_turns (truth);

  for (guint i = 0; i < truth->n_samples; i++)
    fold[i] %= ENS_FOLDS;
  return fold;
}

guint8 *
ens_hide_fold (const EnsLabels *truth, const guint *fold, guint hidden)
{
  guint8 *labels = g_memdup2 (truth->labels, (gsize)truth->n_samples * truth->n_classes);

  for (guint i = 0; i < truth->n_samples; i++)
    if (fold[i] == hidden)
      memset (&labels[(gsize)i * truth->n_classes], ENS_LABEL_UNKNOWN, truth->n_classes);
  return labels;
}
