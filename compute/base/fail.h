/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors whose message begins with the place that they are about. */
#pragma once

#include "base/error.h"

/* Sets the error "WHERE: MESSAGE" and returns FALSE. */
gboolean ens_fail (GError **error, EnsErrorCode code, const char *where, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
gboolean ens_fail_valist (GError **error, EnsErrorCode code, const char *where, const char *format,
                          va_list arguments) G_GNUC_PRINTF (4, 0);
