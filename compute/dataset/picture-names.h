/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files are pictures, by the endings of their names. */
#pragma once

#include <glib.h>

/* Of formats that are read. */
gboolean ens_picture_has_name (const char *name);
/* Of formats that decoders here don't read. */
gboolean ens_picture_has_foreign_name (const char *name);

/* A file's name without folder and ending. (transfer full) */
char *ens_picture_stem (const char *path);
