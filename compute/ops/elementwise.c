/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/elementwise.h"

#include "ops/strided.h"

gboolean
ens_check_present (const EnsOperands *operands, GError **error)
{
  for (guint i = 0; i < operands->n_inputs; i++)
    if (operands->inputs[i] == NULL)
      return ens_op_error (operands, error, ENS_ERROR_FORMAT, "input %u is missing", i);
  return TRUE;
}

gboolean
ens_set_broadcast_output (EnsOperands *operands, EnsType type, GError **error)
{
  EnsShape shape = operands->inputs[0]->shape;

  for (guint i = 1; i < operands->n_inputs; i++)
    if (!ens_broadcast (&shape, &operands->inputs[i]->shape)) {
      g_autofree char *expected = ens_shape_to_string (&shape);
      g_autofree char *found = ens_shape_to_string (&operands->inputs[i]->shape);

      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "input %u is %s, expected what broadcasts with %s", i, found, expected);
    }
  return ens_set_output (operands, 0, type, &shape, error);
}

void
ens_unary_reference (const EnsOperands *operands, EnsUnaryFunc func)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  gsize n = ens_view_elements (output);

  for (gsize i = 0; i < n; i++)
    ens_view_set_real (output, ens_view_offset (output, i),
                       func (ens_view_real (input, ens_view_offset (input, i)), operands->params));
}

typedef struct {
  EnsStrided strided;
  EnsUnaryLoop loop;
  const EnsUnaryParams *params;
  const float *input;
  float *output;
} Unary;

static void
unary_run (gconstpointer data, const gint64 *offsets, gsize n)
{
  const Unary *unary = data;

  unary->loop (unary->input + offsets[1], unary->output + offsets[0], n, unary->params);
}

static void
unary_range (gconstpointer data, gsize begin, gsize end)
{
  const Unary *unary = data;

  ens_strided_run (&unary->strided, begin, end, unary_run, unary);
}

void
ens_unary_run (const EnsOperands *operands, const EnsCpuContext *context, EnsUnaryLoop loop)
{
  const EnsView *input = operands->inputs[0], *output = operands->outputs[0];
  Unary unary = {.loop = loop, .params = operands->params};

  unary.input = input->data;
  unary.output = output->data;
  unary.strided = ens_strided_broadcast (&output->shape, (const EnsView *[]) {output, input}, 2);
  ens_strided_merge (&unary.strided);
  ens_strided_keep_contiguous (&unary.strided, 2);
  ens_parallel (context->pool, ens_strided_elements (&unary.strided), 4, unary_range, &unary);
}

/* Dense views have no rows of their own: rows of a convenient length are taken instead. */
#define MIN_COLUMNS 256

void
ens_activation_run (const EnsView *input, const EnsView *output,
                    const EnsFusedActivation *activation, EnsThreadPool *pool)
{
  const EnsShape *shape = &output->shape;
  gsize n = ens_view_elements (output), columns = ens_view_columns (output);
  EnsEpilogue epilogue = {
      .activation = activation->kind, .alpha = activation->alpha, .beta = activation->beta};
  EnsPixelRows pixels = {.input = input->data,
                         .input_pitch = (gsize)input->pitch,
                         .output = output->data,
                         .output_pitch = (gsize)output->pitch};

  if (n == 0)
    return;
  if (ens_view_is_dense (input) && ens_view_is_dense (output)) {
    for (guint axis = shape->rank - 1; axis-- > 0 && shape->rank > 1 && columns < MIN_COLUMNS;)
      columns *= (gsize)shape->dims[axis];
    pixels.input_pitch = pixels.output_pitch = columns;
  }
  pixels.channels = (guint)columns;
  pixels.pixels = n / columns;
  ens_epilogue_run (ens_kernels_get (), &pixels, &epilogue, pool);
}
