/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/regulariser.h"

#include "ops/registry.h"

static gboolean
is_regularised (const EnsGraph *graph, const EnsParameter *parameter)
{
  const EnsNode *node = g_hash_table_lookup (graph->nodes_by_name, parameter->node);

  return node != NULL && node->op == &ens_op_batch_normalization;
}

gsize
ens_regulariser_count (const EnsGraph *graph, const EnsParameter *parameters, guint n)
{
  gsize count = 0;

  for (guint i = 0; i < n; i++)
    if (is_regularised (graph, &parameters[i]))
      count += parameters[i].size;
  return count;
}

double
ens_regulariser_measure (EnsRegulariserForm form, const EnsGraph *graph,
                         const EnsParameter *parameters, guint n, const float *values)
{
  gsize count = ens_regulariser_count (graph, parameters, n);
  double sum = 0;

  for (guint i = 0; i < n; i++)
    if (is_regularised (graph, &parameters[i]))
      for (gsize k = 0; k < parameters[i].size; k++) {
        double value = (double)values[parameters[i].offset + k];

        sum += value * value;
      }
  return form == ENS_REGULARISER_SUM ? sum / 2 : sum / (double)MAX (count, 1);
}

void
ens_regulariser_set_decay (const EnsRegulariser *regulariser, const EnsGraph *graph,
                           const EnsParameter *parameters, guint n, EnsParameterGroup *groups)
{
  gsize count = ens_regulariser_count (graph, parameters, n);
  double factor = regulariser->form == ENS_REGULARISER_SUM ? 1 : 2 / (double)MAX (count, 1);

  for (guint i = 0; i < n; i++)
    if (is_regularised (graph, &parameters[i]))
      groups[i].decay_factor = regulariser->share * factor;
    else
      groups[i].decay_factor = parameters[i].kind == ENS_PARAMETER_WEIGHT ? 1 : 0;
}
