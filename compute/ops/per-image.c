/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/per-image.h"

gboolean
ens_axis_is_batch (const EnsNode *node, gint64 axis)
{
  return axis == 0 || axis == -(gint64)node->inputs[0]->shape.rank;
}

/* All but input 0. */
static gboolean
parameters_are_constant (const EnsNode *node)
{
  for (guint i = 1; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && node->inputs[i]->constant == NULL)
      return FALSE;
  return TRUE;
}

gboolean
ens_per_image_with_constants (const EnsNode *node)
{
  return node->inputs[0]->constant == NULL && parameters_are_constant (node);
}

gboolean
ens_per_image_repeated (const EnsNode *node)
{
  const EnsValue *input = node->inputs[0];
  guint rank = node->outputs[0]->shape.rank;

  if (!parameters_are_constant (node))
    return FALSE;
  return input->constant == NULL ? input->shape.rank == rank
                                 : input->shape.rank < rank || input->shape.dims[0] == 1;
}

gboolean
ens_per_image_elementwise (const EnsNode *node)
{
  guint rank = node->outputs[0]->shape.rank;

  for (guint i = 0; i < node->n_inputs; i++) {
    const EnsValue *input = node->inputs[i];

    if (input == NULL)
      continue;
    if (input->constant != NULL ? input->shape.rank == rank && input->shape.dims[0] != 1
                                : input->shape.rank != rank)
      return FALSE;
  }
  return TRUE;
}
