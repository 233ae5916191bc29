/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text's lines, one at a time: lists may have millions, and are not copied. */
#pragma once

#include <glib.h>

typedef struct {
  guint number; /* of the line that came last, from 1 */
  /*< private >*/
  const char *at, *end;
  GString *line;
} EnsLines;

/* The text, which may be NULL, stays the caller's. */
void ens_lines_init (EnsLines *lines, GBytes *text);
void ens_lines_clear (EnsLines *lines);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsLines, ens_lines_clear)

/* The next line without blanks around it, up to its first zero byte; NULL at the end. It may be
 * written to, and is valid until the next call. (transfer none) */
char *ens_lines_next (EnsLines *lines);
/* The lines there are, from the first one on. */
guint ens_lines_count (GBytes *text);
/* A name a line, without empty ones at the end. (transfer full) */
char **ens_lines_read_names (GBytes *text);
