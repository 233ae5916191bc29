/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradients of the elementwise operators of several inputs. What is meant for elements that an
 * input was broadcast to is summed up for it. */
#include "ops/binary.h"
#include "ops/gradient.h"
#include "ops/registry.h"

static void
set_gradient (EnsGradient *gradient, guint i, EnsValue *value)
{
  gradient->inputs[i] = ens_gradient_sum_to (gradient, value, &gradient->node->inputs[i]->shape);
}

gboolean
ens_sum_gradient (EnsGradient *gradient, GError **error)
{
  for (guint i = 0; i < gradient->node->n_inputs; i++)
    if (gradient->wanted[i])
      set_gradient (gradient, i, gradient->outputs[0]);
  return TRUE;
}

gboolean
ens_mean_gradient (EnsGradient *gradient, GError **error)
{
  EnsValue *dy = gradient->outputs[0];
  EnsValue *n = ens_gradient_number (gradient, dy->type, gradient->node->n_inputs);
  EnsValue *share = ens_gradient_apply (gradient, &ens_op_div, NULL, dy, n, NULL);

  for (guint i = 0; i < gradient->node->n_inputs; i++)
    if (gradient->wanted[i])
      set_gradient (gradient, i, share);
  return TRUE;
}

gboolean
ens_sub_gradient (EnsGradient *gradient, GError **error)
{
  EnsValue *dy = gradient->outputs[0];

  if (gradient->wanted[0])
    set_gradient (gradient, 0, dy);
  if (gradient->wanted[1]) {
    set_gradient (gradient, 1, dy);
    gradient->inputs[1] =
        ens_gradient_apply (gradient, &ens_op_neg, NULL, gradient->inputs[1], NULL);
  }
  return TRUE;
}

gboolean
ens_mul_gradient (EnsGradient *gradient, GError **error)
{
  for (guint i = 0; i < 2; i++)
    if (gradient->wanted[i])
      set_gradient (gradient, i,
                    ens_gradient_apply (gradient, &ens_op_mul, NULL, gradient->outputs[0],
                                        gradient->node->inputs[1 - i], NULL));
  return TRUE;
}

/* ∂ (a / b) = ∂a / b − y · ∂b / b */
gboolean
ens_div_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  EnsValue *share =
      ens_gradient_apply (gradient, &ens_op_div, NULL, gradient->outputs[0], node->inputs[1], NULL);

  if (gradient->wanted[0])
    set_gradient (gradient, 0, share);
  if (gradient->wanted[1]) {
    set_gradient (gradient, 1,
                  ens_gradient_apply (gradient, &ens_op_mul, NULL, share, node->outputs[0], NULL));
    gradient->inputs[1] =
        ens_gradient_apply (gradient, &ens_op_neg, NULL, gradient->inputs[1], NULL);
  }
  return TRUE;
}

/* ∂ aᵇ = b · aᵇ⁻¹ ∂a + aᵇ · ln a ∂b */
gboolean
ens_pow_gradient (EnsGradient *gradient, GError **error)
{
  EnsValue *dy = gradient->outputs[0];
  EnsValue *a = gradient->node->inputs[0], *b = gradient->node->inputs[1];

  if (gradient->wanted[0]) {
    EnsValue *one = ens_gradient_number (gradient, b->type, 1);
    EnsValue *exponent = ens_gradient_apply (gradient, &ens_op_sub, NULL, b, one, NULL);
    EnsValue *power = ens_gradient_apply (gradient, &ens_op_pow, NULL, a, exponent, NULL);
    EnsValue *factor = ens_gradient_cast (gradient, b, a->type);

    factor = ens_gradient_apply (gradient, &ens_op_mul, NULL, factor, power, NULL);
    set_gradient (gradient, 0, ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, factor, NULL));
  }
  if (gradient->wanted[1]) {
    EnsValue *factor = ens_gradient_apply (gradient, &ens_op_log, NULL, a, NULL);

    factor =
        ens_gradient_apply (gradient, &ens_op_mul, NULL, factor, gradient->node->outputs[0], NULL);
    set_gradient (gradient, 1, ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, factor, NULL));
  }
  return TRUE;
}

/* To the input that was taken; to all of them where they are equal. */
gboolean
ens_extreme_gradient (EnsGradient *gradient, GError **error)
{
  const EnsNode *node = gradient->node;
  EnsValue *dy = gradient->outputs[0];
  EnsValue *zero = ens_gradient_number (gradient, dy->type, 0);

  for (guint i = 0; i < node->n_inputs; i++) {
    EnsValue *taken;

    if (!gradient->wanted[i])
      continue;
    taken =
        ens_gradient_apply (gradient, &ens_op_equal, NULL, node->inputs[i], node->outputs[0], NULL);
    set_gradient (gradient, i,
                  ens_gradient_apply (gradient, &ens_op_where, NULL, taken, dy, zero, NULL));
  }
  return TRUE;
}

gboolean
ens_prelu_gradient (EnsGradient *gradient, GError **error)
{
  EnsValue *dy = gradient->outputs[0];
  EnsValue *x = gradient->node->inputs[0], *slope = gradient->node->inputs[1];
  EnsValue *zero = ens_gradient_number (gradient, dy->type, 0);

  if (gradient->wanted[0]) {
    EnsValue *negative = ens_gradient_apply (gradient, &ens_op_less, NULL, x, zero, NULL);
    EnsValue *scaled = ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, slope, NULL);

    gradient->inputs[0] =
        ens_gradient_apply (gradient, &ens_op_where, NULL, negative, scaled, dy, NULL);
  }
  if (gradient->wanted[1]) {
    EnsValue *negative = ens_gradient_apply (gradient, &ens_op_min, NULL, x, zero, NULL);

    set_gradient (gradient, 1,
                  ens_gradient_apply (gradient, &ens_op_mul, NULL, dy, negative, NULL));
  }
  return TRUE;
}
