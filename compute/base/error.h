/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: errors.
 *
 * Every function that can fail because of the world (files, models, memory, devices) takes a
 * GError ** last. The message says what was being read, where in it, what was expected and what
 * was found; it is complete as it stands, so callers pass it on unchanged. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* clang-format off */
#define ENS_ERROR (ens_error_quark ())
/* clang-format on */

typedef enum {
  ENS_ERROR_FILE,        /* a file or folder can't be opened, read or written */
  ENS_ERROR_FORMAT,      /* a file is damaged or not what its name promises */
  ENS_ERROR_UNSUPPORTED, /* sound, but uses something this build does not implement */
  ENS_ERROR_SHAPE,       /* tensor shapes that don't fit each other or the input */
  ENS_ERROR_RESOURCE,    /* memory or a limit was exceeded */
  ENS_ERROR_DATA,        /* a data set can't be trained on */
  ENS_ERROR_CANCELLED,   /* the caller asked to stop */
  ENS_ERROR_DEVICE,      /* a GPU or its driver failed */
} EnsErrorCode;

GQuark ens_error_quark (void);

G_END_DECLS
