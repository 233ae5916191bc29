#include "graph/op.h"

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
