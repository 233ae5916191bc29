/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Placing barriers between recorded commands.
 *
 * Commands run side by side unless a barrier parts them. One is needed where a command touches
 * memory that another one since the last barrier has touched, if either writes. */
#pragma once

#include "graph/commands.h"

/* Rows of `run` bytes, `pitch` bytes from one to the next, in a part of a buffer: slices of a
 * concatenation interleave without touching. */
typedef struct {
  gconstpointer buffer; /* identity */
  gsize begin, end;     /* bytes, from the first to behind the last one */
  gsize run, pitch;
  gboolean write;
} EnsTouch;

typedef struct {
  EnsTouch touches[ENS_MAX_BINDINGS];
  guint n_touches;
  gboolean waits;   /* the CPU waits here: all that came before has ended */
  gboolean barrier; /* before this command */
} EnsHazard;

/* Dense memory. */
EnsTouch ens_touch_dense (gconstpointer buffer, gsize offset, gsize size, gboolean write);

/* Sets `barrier` of each command, as late and as seldom as the order allows. */
void ens_hazards_place (EnsHazard *commands, guint n);

/* Goes through the commands byte by byte, independently of how barriers were placed: FALSE, with
 * the two commands' numbers, if a barrier is missing. Slow; for tests and debugging. */
gboolean ens_hazards_check (const EnsHazard *commands, guint n, GError **error);
