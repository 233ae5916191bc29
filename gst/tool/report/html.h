/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing HTML that is sound XML too. */
#pragma once

#include <glib.h>

/* Appends. What stands for %s is escaped, so that a name can be anything. */
void html_add (GString *html, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* A name as it can be shown: in UTF-8, without control characters. (transfer full) */
char *html_clean (const char *name);

/* A share from 0 to 1, or a dash where it could not be measured, as a cell of a table. bar: a bar
 * of that length lies behind it. */
void html_add_share (GString *html, double share, gboolean bar);
