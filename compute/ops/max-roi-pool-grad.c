/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradient of MaxRoiPool: that of each element of the output goes to the first position of its part
 * of the region where the maximum is. */
#include "ops/max-roi-pool.h"
#include "ops/record.h"
#include "ops/registry.h"

enum {
  X = ENS_MAX_ROI_POOL_X,
  REGIONS = ENS_MAX_ROI_POOL_REGIONS,
  OUTPUT_GRADIENT = ENS_MAX_ROI_POOL_OUTPUT_GRADIENT
};

static const EnsAttribute max_roi_pool_grad_attributes[] = {ENS_MAX_ROI_POOL_ATTRIBUTES,
                                                            ENS_ATTRIBUTE_END};

static gboolean
max_roi_pool_grad_shape (EnsOperands *operands, GError **error)
{
  const EnsShape *found = &operands->inputs[OUTPUT_GRADIENT]->shape;
  g_autofree char *found_text = NULL, *expected_text = NULL;
  EnsShape expected;

  if (!ens_check_same_types (operands, OUTPUT_GRADIENT, error)
      || !ens_max_roi_pool_resolve (operands, &expected, error))
    return FALSE;
  if (ens_shape_equal (found, &expected))
    return ens_set_output_like_input (operands, error);
  found_text = ens_shape_to_string (found);
  expected_text = ens_shape_to_string (&expected);
  return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                       "input %d is %s, expected %s, as the pooling's output", OUTPUT_GRADIENT,
                       found_text, expected_text);
}

/* All gradients of some channels, so that nobody else adds to theirs. */
static void
add_channels (gconstpointer data, gsize begin, gsize end)
{
  const EnsOperands *operands = data;
  const EnsView *x = operands->inputs[X], *dy = operands->inputs[OUTPUT_GRADIENT];
  const EnsView *dx = operands->outputs[0];

  for (gsize row = 0; row < ens_view_rows (dx); row++)
    for (gsize c = begin; c < end; c++)
      ens_view_set_real (dx, row * (gsize)dx->pitch + c, 0);
  for (gsize i = 0; i < ens_view_rows (dy) && ens_view_elements (dy) > 0; i++) {
    EnsMaxRoiPoolBin bin = ens_max_roi_pool_find (operands, i);

    for (gsize c = begin; c < end; c++) {
      gssize from = ens_max_roi_pool_maximum (x, &bin, c);
      gsize to = from >= 0 ? (gsize)from / (gsize)x->pitch * (gsize)dx->pitch + c : 0;

      if (from >= 0)
        ens_view_set_real (dx, to,
                           ens_view_real (dx, to) + ens_view_real (dy, i * (gsize)dy->pitch + c));
    }
  }
}

static void
max_roi_pool_grad_reference (const EnsOperands *operands)
{
  add_channels (operands, 0, ens_view_columns (operands->outputs[0]));
}

/* The reference on all threads. */
static void
max_roi_pool_grad_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const EnsView *dx = operands->outputs[0];
  gsize regions = (gsize)operands->inputs[REGIONS]->shape.dims[0];

  ens_parallel (context->pool, ens_view_columns (dx), ens_view_rows (dx) * (regions + 1),
                add_channels, operands);
}

static gboolean
max_roi_pool_grad_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  enum { GROUP = 128 };
  const EnsView *dy = operands->inputs[OUTPUT_GRADIENT], *x = operands->inputs[X];
  EnsMaxRoiPoolPush push = ens_max_roi_pool_push (operands);
  EnsDispatch dispatch = {.shader = "max-roi-pool-grad",
                          .bindings = {{x, ENS_ACCESS_READ},
                                       {operands->inputs[REGIONS], ENS_ACCESS_READ},
                                       {dy, ENS_ACCESS_READ},
                                       {operands->outputs[0], ENS_ACCESS_WRITE}},
                          .n_bindings = 4,
                          .push = &push,
                          .push_size = sizeof push};
  gint64 bins = ens_shape_span (&dy->shape, 0, 3);
  gint64 positions = ens_shape_span (&x->shape, 1, 3);

  if (!ens_record_storage (operands, X, OUTPUT_GRADIENT + 1, &dispatch.storage)
      || bins * (positions + 1) > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  if (push.n > 0) {
    ens_commands_cover (commands, &dispatch, push.n, GROUP);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}

static const EnsOpExample max_roi_pool_grad_examples[] = {
    {"1x7x6x3 =3x5 3x2x3x3", &(const EnsMaxRoiPoolParams) {.rank = 2, .size = {2, 3}, .scale = 5},
     .positive = TRUE},
    {NULL}};

const EnsOp ens_op_max_roi_pool_grad = {.name = "MaxRoiPoolGrad",
                                        .min_inputs = 3,
                                        .max_inputs = 3,
                                        .min_outputs = 1,
                                        .max_outputs = 1,
                                        .layout = ENS_LAYOUT_SPATIAL,
                                        .flags = ENS_OP_INTERNAL,
                                        .params_size = sizeof (EnsMaxRoiPoolParams),
                                        .attributes = max_roi_pool_grad_attributes,
                                        .shape = max_roi_pool_grad_shape,
                                        .visits = ens_max_roi_pool_visits,
                                        .reference = max_roi_pool_grad_reference,
                                        .cpu = max_roi_pool_grad_cpu,
                                        .gpu = max_roi_pool_grad_gpu,
                                        .example = max_roi_pool_grad_examples};
