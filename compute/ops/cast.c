/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cast: to another element type. */
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"

#include "push/cast.h"

static const EnsAttribute cast_attributes[] = {
    {"to", ENS_ATTRIBUTE_TYPE, ENS_ATTRIBUTE_REQUIRED, ENS_MEMBER (EnsCastParams, to)},
    /* For types of 8 bits that we do not have. */
    {"saturate", ENS_ATTRIBUTE_IGNORED, .since = 19},
    {"round_mode", ENS_ATTRIBUTE_IGNORED, .since = 24},
    ENS_ATTRIBUTE_END};

static gboolean
cast_shape (EnsOperands *operands, GError **error)
{
  const EnsCastParams *params = operands->params;

  return ens_set_output (operands, 0, params->to, &operands->inputs[0]->shape, error);
}

static void
cast_reference (const EnsOperands *operands)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  gsize n = ens_view_elements (output);

  for (gsize i = 0; i < n; i++)
    if (ens_type_is_real (input->type))
      ens_view_set_real (output, i, ens_view_real (input, i));
    else
      ens_view_set_integer (output, i, ens_view_integer (input, i));
}

#define GROUP 128

/* Between floats, and from truth values to floats. What type values have in memory is the plan's
 * choice: often there is nothing to convert. */
static gboolean
cast_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  EnsCastPush push = {.n = (guint32)ens_view_elements (y)};
  EnsDispatch dispatch = {
      .shader = x->type == ENS_TYPE_BOOL ? "cast-bool" : "cast",
      .storage = y->type,
      .bindings = {{x, ENS_ACCESS_READ}, {y, ENS_ACCESS_WRITE}},
      .n_bindings = 2,
      .push = &push,
      .push_size = sizeof push,
  };
  EnsType storage;

  if (ens_record_storage (operands, 0, 1, &storage)) {
    ens_record_function (commands, x, y, ENS_FUNCTION_NONE, 0, 0);
    return TRUE;
  }
  if ((x->type != ENS_TYPE_BOOL && !ens_record_takes (x)) || !ens_record_takes (y))
    return FALSE;
  if (push.n > 0) {
    ens_commands_cover (commands, &dispatch, push.n, GROUP);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

static gboolean
cast_gradient (EnsGradient *gradient, GError **error)
{
  gradient->inputs[0] =
      ens_gradient_cast (gradient, gradient->outputs[0], gradient->node->inputs[0]->type);
  return TRUE;
}

static const EnsOpExample cast_examples[] = {{"2x5x4x7", &(const EnsCastParams) {ENS_TYPE_FLOAT16}},
                                             {NULL}};

const EnsOp ens_op_cast = {.name = "Cast",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .min_outputs = 1,
                           .max_outputs = 1,
                           .layout = ENS_LAYOUT_FOLLOWS,
                           .params_size = sizeof (EnsCastParams),
                           .attributes = cast_attributes,
                           .shape = cast_shape,
                           .reference = cast_reference,
                           .gpu = cast_gpu,
                           .gradient = cast_gradient,
                           .per_image = ens_per_image_elementwise,
                           .example = cast_examples};
