/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fail.h"

gboolean
ens_fail_valist (GError **error, EnsErrorCode code, const char *where, const char *format,
                 va_list arguments)
{
  g_autofree char *message = g_strdup_vprintf (format, arguments);

  g_set_error (error, ENS_ERROR, (int)code, "%s: %s", where, message);
  return FALSE;
}

gboolean
ens_fail (GError **error, EnsErrorCode code, const char *where, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  ens_fail_valist (error, code, where, format, arguments);
  va_end (arguments);
  return FALSE;
}
