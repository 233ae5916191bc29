/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gradient of Clip: that of known bounds is a function's; computed bounds get what is beyond
 * them. */
#include "ops/elementwise.h"
#include "ops/gradient.h"
#include "ops/registry.h"

gboolean
ens_clip_find_bound (const EnsNode *node, guint input, float *bound)
{
  const EnsValue *value = ens_node_input (node, input);
  EnsView view;

  if (value == NULL)
    return TRUE;
  if (value->constant == NULL)
    return FALSE;
  view = ens_view_dense (value->type, &value->shape, value->constant->data);
  *bound = (float)ens_view_real (&view, 0);
  return TRUE;
}

static EnsValue *
find_bound (EnsGradient *gradient, guint input, float otherwise)
{
  EnsValue *bound = ens_node_input (gradient->node, input);

  if (bound == NULL)
    return ens_gradient_number (gradient, gradient->outputs[0]->type, (double)otherwise);
  return ens_gradient_reshape (gradient, bound, &ENS_SHAPE_SCALAR);
}

/* Gives a bound what is beyond it; returns what is left. */
static EnsValue *
take_beyond (EnsGradient *gradient, guint input, EnsValue *beyond, EnsValue *dy)
{
  EnsValue *zero = ens_gradient_number (gradient, dy->type, 0), *taken;

  if (input < gradient->node->n_inputs && gradient->wanted[input]) {
    taken = ens_gradient_apply (gradient, &ens_op_where, NULL, beyond, dy, zero, NULL);
    gradient->inputs[input] =
        ens_gradient_reshape (gradient, ens_gradient_sum_to (gradient, taken, &ENS_SHAPE_SCALAR),
                              &gradient->node->inputs[input]->shape);
  }
  return ens_gradient_apply (gradient, &ens_op_where, NULL, beyond, zero, dy, NULL);
}

/* y = min (max (x, low), high) */
static void
differentiate (EnsGradient *gradient, EnsValue *low, EnsValue *high)
{
  EnsValue *x = gradient->node->inputs[0], *dy = gradient->outputs[0];
  EnsValue *raised = ens_gradient_apply (gradient, &ens_op_max, NULL, x, low, NULL);

  dy = take_beyond (gradient, 2,
                    ens_gradient_apply (gradient, &ens_op_greater, NULL, raised, high, NULL), dy);
  dy = take_beyond (gradient, 1, ens_gradient_apply (gradient, &ens_op_less, NULL, x, low, NULL),
                    dy);
  gradient->inputs[0] = dy;
}

gboolean
ens_clip_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  const EnsClipParams *params = node->params;
  EnsActivationGradParams grad = {ENS_ACTIVATION_CLIP, params->min, params->max};

  if (ens_clip_find_bound (node, 1, &grad.alpha) && ens_clip_find_bound (node, 2, &grad.beta))
    gradient->inputs[0] = ens_gradient_apply (gradient, &ens_op_activation_grad, &grad,
                                              gradient->outputs[0], node->outputs[0], NULL);
  else
    differentiate (gradient, find_bound (gradient, 1, params->min),
                   find_bound (gradient, 2, params->max));
  return TRUE;
}
