/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/affine.h"

#include <math.h>

#include "ops/params.h"
#include "passes/rewrite.h"

static EnsAffine *
affine_new (EnsValue *input, gint64 n_channels)
{
  EnsAffine *affine = g_new0 (EnsAffine, 1);

  affine->input = input;
  affine->n_channels = n_channels;
  affine->scale = g_new0 (float, n_channels);
  affine->shift = g_new0 (float, n_channels);
  return affine;
}

void
ens_affine_free (EnsAffine *affine)
{
  if (affine == NULL)
    return;
  g_free (affine->scale);
  g_free (affine->shift);
  g_free (affine);
}

EnsAffine *
ens_affine_read_batch_norm (const EnsNode *node)
{
  const EnsNormalizationParams *params = node->params;
  const EnsTensor *scale = ens_node_constant (node, 1), *shift = ens_node_constant (node, 2);
  const EnsTensor *mean = ens_node_constant (node, 3), *variance = ens_node_constant (node, 4);
  gint64 n = scale != NULL ? ens_shape_elements (&scale->shape) : 0;
  g_autofree float *mean_data = g_new (float, n), *variance_data = g_new (float, n);
  g_autoptr (EnsAffine) affine = affine_new (node->inputs[0], n);

  if (n == 0 || node->n_outputs > 1 || !ens_constant_as_channels (scale, 1, n, affine->scale)
      || !ens_constant_as_channels (shift, 1, n, affine->shift)
      || !ens_constant_as_channels (mean, 1, n, mean_data)
      || !ens_constant_as_channels (variance, 1, n, variance_data))
    return NULL;
  for (gint64 i = 0; i < n; i++) {
    double factor = affine->scale[i] / sqrt ((double)variance_data[i] + params->epsilon);

    affine->shift[i] = (float)(affine->shift[i] - factor * mean_data[i]);
    affine->scale[i] = (float)factor;
  }
  return g_steal_pointer (&affine);
}

/* What arithmetic with a constant does to channel i of the other operand. */
static void
set_channel (EnsAffine *affine, gint64 i, EnsOpKind kind, float constant, gboolean constant_first)
{
  affine->scale[i] = kind == ENS_KIND_MULTIPLY ? constant
                     : kind == ENS_KIND_DIVIDE ? 1 / constant
                                               : 1;
  affine->shift[i] = kind == ENS_KIND_ADD ? constant : kind == ENS_KIND_SUBTRACT ? -constant : 0;
  if (kind == ENS_KIND_SUBTRACT && constant_first) {
    affine->scale[i] = -1;
    affine->shift[i] = constant;
  }
}

static EnsAffine *
read_arithmetic (const EnsNode *node, gint64 n_channels, guint rank)
{
  EnsOpKind kind = node->op->kind;
  guint i = ens_node_constant (node, 0) != NULL ? 0 : 1;
  const EnsBinaryParams *params = node->params;
  g_autofree float *constant = g_new (float, n_channels);
  EnsAffine *affine;

  if (node->n_inputs != 2 || params->activation.kind != ENS_ACTIVATION_NONE
      || !ens_constant_as_channels (ens_node_constant (node, i), rank, n_channels, constant)
      || (kind == ENS_KIND_DIVIDE && i == 0))
    return NULL;
  affine = affine_new (node->inputs[1 - i], n_channels);
  for (gint64 j = 0; j < n_channels; j++)
    set_channel (affine, j, kind, constant[j], i == 0);
  return affine;
}

gboolean
ens_node_may_be_affine (const EnsNode *node)
{
  if (ens_kind_is_arithmetic (node->op->kind))
    return ens_node_constant (node, 0) != NULL || ens_node_constant (node, 1) != NULL;
  return ens_node_is (node, "BatchNormalization");
}

EnsAffine *
ens_affine_read (const EnsNode *node, gint64 n_channels, guint rank)
{
  g_autoptr (EnsAffine) affine = NULL;

  if (ens_kind_is_arithmetic (node->op->kind))
    return read_arithmetic (node, n_channels, rank);
  if (!ens_node_is (node, "BatchNormalization"))
    return NULL;
  affine = ens_affine_read_batch_norm (node);
  return affine != NULL && affine->n_channels == n_channels ? g_steal_pointer (&affine) : NULL;
}

gboolean
ens_affine_is_finite (const EnsAffine *affine)
{
  for (gint64 i = 0; i < affine->n_channels; i++)
    if (!isfinite (affine->scale[i]) || !isfinite (affine->shift[i]))
      return FALSE;
  return TRUE;
}
