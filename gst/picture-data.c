/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture-data.h"

gboolean
gst_ensemble_data_has_rows (gsize size, guint64 offset, guint64 row_bytes, guint64 n_rows)
{
  return offset < size && (row_bytes == 0 || n_rows <= (size - offset) / row_bytes);
}

/* What stands behind a zero instead of a run; from 3 on so many pixels follow, in words. */
enum { RUN_END_OF_LINE = 0, RUN_END = 1, RUN_DELTA = 2 };

gboolean
gst_ensemble_data_has_runs (const guint8 *data, gsize size, guint64 offset, guint bits,
                            guint64 n_rows)
{
  guint64 n_ended = 0;

  while (offset < size && size - offset >= 2) {
    guint8 run = data[offset], code = data[offset + 1];

    offset += 2;
    if (run > 0)
      continue;
    if (code == RUN_END)
      return TRUE;
    n_ended += code == RUN_END_OF_LINE;
    if (code == RUN_DELTA && size - offset >= 2)
      n_ended += data[offset + 1];
    if (code == RUN_DELTA)
      offset += 2;
    else if (code > RUN_DELTA)
      offset += ((guint64)code * bits + 15) / 16 * 2;
  }
  return n_ended >= n_rows;
}

gboolean
gst_ensemble_data_has_numbers (const guint8 *data, gsize size, guint64 offset, guint64 n,
                               gboolean digits)
{
  guint64 n_found = 0;
  gboolean inside = FALSE, comment = FALSE; /* a number of several digits */

  for (; offset < size && n_found < n; offset++) {
    gboolean digit = !comment && g_ascii_isdigit (data[offset]);

    n_found += digit && (digits || !inside);
    inside = digit;
    comment = data[offset] != '\n' && (comment || data[offset] == '#');
  }
  return n_found >= n;
}
