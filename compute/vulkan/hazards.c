/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/hazards.h"

EnsTouch
ens_touch_dense (gconstpointer buffer, gsize offset, gsize size, gboolean write)
{
  return (EnsTouch) {buffer, offset, offset + size, size, size, write};
}

/* Whether two touch the same bytes; of rows that are pitched alike, whether their columns meet. */
static gboolean
overlap (const EnsTouch *a, const EnsTouch *b)
{
  gsize shift;

  if (a->buffer != b->buffer || a->begin >= b->end || b->begin >= a->end)
    return FALSE;
  if (a->pitch != b->pitch || a->pitch == 0)
    return TRUE;
  /* Where b's rows start as seen from a's. */
  shift = b->begin >= a->begin ? (b->begin - a->begin) % a->pitch
                               : (a->pitch - (a->begin - b->begin) % a->pitch) % a->pitch;
  return shift < a->run || shift + b->run > a->pitch;
}

static gboolean
conflict (const EnsHazard *a, const EnsHazard *b)
{
  for (guint i = 0; i < a->n_touches; i++)
    for (guint j = 0; j < b->n_touches; j++)
      if ((a->touches[i].write || b->touches[j].write) && overlap (&a->touches[i], &b->touches[j]))
        return TRUE;
  return FALSE;
}

void
ens_hazards_place (EnsHazard *commands, guint n)
{
  guint last = 0; /* the first command behind the last barrier */

  for (guint i = 0; i < n; i++) {
    commands[i].barrier = FALSE;
    for (guint j = last; j < i && !commands[i].barrier && !commands[i].waits; j++)
      commands[i].barrier = conflict (&commands[j], &commands[i]);
    if (commands[i].barrier || commands[i].waits)
      last = i;
  }
}
