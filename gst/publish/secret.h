/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: passwords and tokens that a setting names without containing them: "file:PATH" or
 * "env:NAME". Errors tell where a secret was looked for, never what it is. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether the text can name a secret, before anything is opened. NULL can. */
gboolean publish_secret_check (const char *where, GError **error);

/* The secret without the line's end. (transfer full) */
char *publish_secret_read (const char *where, GError **error);

/* Overwrites it before its memory is freed. NULL does nothing. */
void publish_secret_free (char *secret);

G_END_DECLS
