/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scanning JSON text from left to right, without a tree.
 *
 * For files that are large and need little of themselves read: nothing is kept but the place. Calls
 * follow the text: open a container, take its members or elements one by one, read or skip the
 * value of each. A value of another type than asked for is passed over and reads as nothing, so
 * that the caller can leave out one bad entry; text that is not JSON ends the scan, after which
 * everything reads as nothing, and ens_json_scan_finish () says what was wrong and where. Python's
 * NaN and Infinity, which RFC 8259 does not have, are passed over as values that are no number.
 *
 * Source: RFC 8259. */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

#define ENS_JSON_SCAN_MAX_DEPTH 64

typedef struct {
  /*< private >*/
  const char *path;
  const char *start, *at, *end;
  guint depth;
  gboolean first; /* nothing read in the innermost container yet */
  GString *text;  /* read last: a member's name, a string that is skipped, a number's digits */
  GError *failure;
} EnsJsonScan;

/* Neither path, which is for messages, nor text is copied. A byte order mark is passed over. */
void ens_json_scan_init (EnsJsonScan *scan, const char *path, const char *text, gsize length);
/* Frees what the scan holds; to be called once. FALSE with an error if the text was not JSON, or if
 * there is more of it than has been read. */
gboolean ens_json_scan_finish (EnsJsonScan *scan, GError **error);
gboolean ens_json_scan_failed (const EnsJsonScan *scan);

/* The next value's first character: “{” of an object, “[” of an array, “"” of a string; 0 at the
 * end. */
char ens_json_scan_peek (EnsJsonScan *scan);

/* FALSE if the next value is something else, which is then passed over. */
gboolean ens_json_scan_open_object (EnsJsonScan *scan);
gboolean ens_json_scan_open_array (EnsJsonScan *scan);
/* The name of the next member, valid until its value is read, opened or skipped, which has to
 * happen next. NULL at the object's end, which closes it. */
const char *ens_json_scan_member (EnsJsonScan *scan);
/* Whether there is another element, which has to be read, opened or skipped next. FALSE at the
 * array's end, which closes it. */
gboolean ens_json_scan_element (EnsJsonScan *scan);

/* NULL for what is no string. (transfer full) */
char *ens_json_scan_string (EnsJsonScan *scan);
/* A string, or a whole number's digits: ids may be written as either. NULL for anything else.
 * (transfer full) */
char *ens_json_scan_id (EnsJsonScan *scan);
/* NaN for what is no number. */
double ens_json_scan_number (EnsJsonScan *scan);
/* FALSE for what is no whole number of 53 bits. */
gboolean ens_json_scan_integer (EnsJsonScan *scan, gint64 *value);
void ens_json_scan_skip (EnsJsonScan *scan);

G_END_DECLS
