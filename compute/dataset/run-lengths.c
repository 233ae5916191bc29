/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/run-lengths.h"

#include <math.h>

/* Compressed, a run is its difference to the one before the last, in digits of five bits, the
 * lowest first: a character is FIRST and the digit, and MORE where another one follows. */
#define FIRST 48
#define BITS 5
#define DIGIT 0x1f
#define SIGN 0x10
#define MORE 0x20
#define MAX_DIGITS 10

void
ens_run_lengths_init (EnsRunLengths *runs)
{
  *runs = (EnsRunLengths) {.ends = g_array_new (FALSE, FALSE, sizeof (guint64))};
}

void
ens_run_lengths_clear (EnsRunLengths *runs)
{
  g_array_unref (runs->ends);
}

static guint64
get_end (const EnsRunLengths *runs, guint run)
{
  return run > 0 ? g_array_index (runs->ends, guint64, run - 1) : 0;
}

void
ens_run_lengths_set_size (EnsRunLengths *runs, double width, double height)
{
  gboolean sound = width >= 1 && height >= 1 && width <= G_MAXINT && height <= G_MAXINT;

  runs->width = sound ? (guint)width : 0;
  runs->height = sound ? (guint)height : 0;
}

void
ens_run_lengths_add (EnsRunLengths *runs, double length)
{
  guint64 end;

  if (!(length >= 0 && length <= G_MAXINT && length == floor (length))) {
    runs->broken = TRUE;
    return;
  }
  end = get_end (runs, runs->ends->len) + (guint64)length;
  g_array_append_val (runs->ends, end);
}

/* The number that begins at *text, which is moved behind it; FALSE for what is none. */
static gboolean
read_digits (const char **text, gint64 *value)
{
  gboolean more = TRUE;

  *value = 0;
  for (guint i = 0; more; i++, (*text)++) {
    gint digit = (guchar) * *text - FIRST;

    if (digit < 0 || digit > (MORE | DIGIT) || i == MAX_DIGITS)
      return FALSE;
    more = (digit & MORE) != 0;
    *value += (gint64)(digit & DIGIT) << BITS * i;
    if (!more && (digit & SIGN) != 0)
      *value -= G_GINT64_CONSTANT (1) << BITS * (i + 1);
  }
  return TRUE;
}

void
ens_run_lengths_add_text (EnsRunLengths *runs, const char *text)
{
  while (*text != '\0' && !runs->broken) {
    guint n = runs->ends->len;
    gint64 length;

    if (!read_digits (&text, &length)) {
      runs->broken = TRUE;
      return;
    }
    if (n > 2)
      length += (gint64)(get_end (runs, n - 1) - get_end (runs, n - 2));
    ens_run_lengths_add (runs, (double)length);
  }
}

gboolean
ens_run_lengths_are_sound (const EnsRunLengths *runs)
{
  return !runs->broken && runs->ends->len > 0
         && get_end (runs, runs->ends->len) == (guint64)runs->width * runs->height;
}

/* ---- Where the object is ---- */

/* The place of a pixel along the lines that runs follow, and across them. */
typedef struct {
  guint64 first_line, last_line, first_place, last_place;
} Bounds;

static void
add_run (Bounds *bounds, guint64 start, guint64 end, guint64 length)
{
  guint64 first = start / length, last = (end - 1) / length;
  gboolean one = first == last;

  bounds->first_line = MIN (bounds->first_line, first);
  bounds->last_line = MAX (bounds->last_line, last);
  bounds->first_place = MIN (bounds->first_place, one ? start % length : 0);
  bounds->last_place = MAX (bounds->last_place, one ? (end - 1) % length : length - 1);
}

gboolean
ens_run_lengths_find_box (const EnsRunLengths *runs, double box[4])
{
  guint64 length = runs->along_rows ? runs->width : runs->height;
  Bounds bounds = {G_MAXUINT64, 0, G_MAXUINT64, 0};
  guint line = runs->along_rows ? 1 : 0;

  for (guint run = 1; run < runs->ends->len; run += 2)
    if (get_end (runs, run + 1) > get_end (runs, run))
      add_run (&bounds, get_end (runs, run), get_end (runs, run + 1), length);
  if (bounds.first_line > bounds.last_line)
    return FALSE;
  box[line] = (double)bounds.first_line;
  box[1 - line] = (double)bounds.first_place;
  box[2 + line] = (double)(bounds.last_line - bounds.first_line + 1);
  box[3 - line] = (double)(bounds.last_place - bounds.first_place + 1);
  return TRUE;
}

/* Whether the object is at a pixel: every second run is inside it. */
static gboolean
has_pixel (const EnsRunLengths *runs, guint64 pixel)
{
  guint low = 0, high = runs->ends->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (get_end (runs, middle + 1) <= pixel)
      low = middle + 1;
    else
      high = middle;
  }
  return low % 2 == 1;
}

void
ens_run_lengths_fill (const EnsRunLengths *runs, EnsObjectMask *mask, const double box[4])
{
  for (guint row = 0; row < ENS_OBJECT_MASK_SIDE; row++)
    for (guint column = 0; column < ENS_OBJECT_MASK_SIDE; column++) {
      double x = floor (box[0] + (column + 0.5) / ENS_OBJECT_MASK_SIDE * box[2]);
      double y = floor (box[1] + (row + 0.5) / ENS_OBJECT_MASK_SIDE * box[3]);

      if (x >= 0 && y >= 0 && x < runs->width && y < runs->height
          && has_pixel (runs, runs->along_rows ? (guint64)y * runs->width + (guint64)x
                                               : (guint64)x * runs->height + (guint64)y))
        mask->rows[row] |= (guint16)(1u << column);
    }
}
