#include "graph/op.h"

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
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, ENS_ERROR, code, "node “%s” (%s): %s", operands->node->name,
               operands->node->op->name, message);
  return FALSE;
}
