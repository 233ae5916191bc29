/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/op.h"

#include "base/fail.h"

#define MAX_ELEMENTS ((gint64)1 << 40)

gboolean
ens_shape_is_countable (const EnsShape *shape)
{
  gint64 n = 1;

  for (guint i = 0; i < shape->rank; i++) {
    gint64 length = shape->dims[i];

    if (length < 0 || length > MAX_ELEMENTS / n)
      return FALSE;
    n *= MAX (length, 1);
  }
  return TRUE;
}

gboolean
ens_op_error (const EnsOperands *operands, GError **error, EnsErrorCode code, const char *format,
              ...)
{
  g_autofree char *where =
      g_strdup_printf ("node “%s” (%s)", operands->node->name, operands->node->op->name);
  va_list arguments;

  va_start (arguments, format);
  ens_fail_valist (error, code, where, format, arguments);
  va_end (arguments);
  return FALSE;
}

double
ens_op_count_steps (const EnsOp *op, const EnsOperands *operands)
{
  double n = 0;

  for (guint i = 0; i < operands->n_outputs; i++)
    n += (double)ens_shape_elements (&operands->outputs[i]->shape);
  if (op->flops != NULL)
    n = MAX (n, op->flops (operands));
  return op->visits != NULL ? MAX (n, op->visits (operands)) : n;
}

static EnsView *
find_view (EnsView *first, gsize size, const EnsValue *value)
{
  return value != NULL ? (EnsView *)((char *)first + value->index * size) : NULL;
}

void
ens_operands_init (EnsOperands *operands, const EnsNode *node, EnsView *first, gsize size)
{
  *operands = (EnsOperands) {.node = node,
                             .params = node->params,
                             .n_inputs = node->n_inputs,
                             .n_outputs = node->n_outputs,
                             .inputs = g_new0 (const EnsView *, node->n_inputs),
                             .outputs = g_new0 (EnsView *, node->n_outputs)};
  for (guint i = 0; i < node->n_inputs; i++)
    operands->inputs[i] = find_view (first, size, node->inputs[i]);
  for (guint i = 0; i < node->n_outputs; i++)
    operands->outputs[i] = find_view (first, size, node->outputs[i]);
}

void
ens_operands_clear (EnsOperands *operands)
{
  g_free (operands->inputs);
  g_free (operands->outputs);
}
