/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables as text: cells between commas, semicolons or tabs, in quotes where they have these.
 *
 * Source: RFC 4180; spreadsheets write semicolons where the comma is the decimal point. */
#pragma once

#include "base/error.h"

typedef struct {
  const char *at, *end;
  char separator; /* the one that the first line has most often */
  guint line;     /* of the record that came last, from 1 */
  guint next_line;
  gboolean unclosed; /* a quote took all up to the end */
} EnsCsvScan;

/* The text stays the caller's, and may begin with a byte order mark. */
void ens_csv_scan_init (EnsCsvScan *scan, const char *text, gsize length);

/* The next record's cells without spaces around them, in UTF-8; empty lines are passed over. NULL
 * at the end. (transfer full) */
char **ens_csv_scan_next (EnsCsvScan *scan);

/* To be called at the end: FALSE if a quote took all lines up to there. path: of the text. */
gboolean ens_csv_scan_check (const EnsCsvScan *scan, const char *path, GError **error);
