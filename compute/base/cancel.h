/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stopping work from another thread.
 *
 * Whoever asks for work that takes long hands a GCancellable down with it. The work looks at it
 * between its steps, the thread pool between the tasks of a loop, and an EnsTurn while it is waited
 * for; it then ends early with ENS_ERROR_CANCELLED, and what it was computing is undefined. NULL is
 * work that can't be cancelled. */
#pragma once

#include <gio/gio.h>

#include "base/error.h"

G_BEGIN_DECLS

/* FALSE with ENS_ERROR_CANCELLED if the work is not wanted any more. */
gboolean ens_check_cancelled (GCancellable *cancellable, GError **error);

/* What one thread at a time may have, as a mutex; but waiting for it can be cancelled. */
typedef struct {
  GMutex lock;
  GCond freed;
  gboolean taken;
  guint n_waiting; /* woken only if there are any: that is a system call */
} EnsTurn;

void ens_turn_init (EnsTurn *turn);
void ens_turn_clear (EnsTurn *turn);
/* FALSE if it was cancelled before it got the turn. Not recursive. */
gboolean ens_turn_take (EnsTurn *turn, GCancellable *cancellable);
/* Takes it if it is free. */
gboolean ens_turn_try (EnsTurn *turn);
void ens_turn_leave (EnsTurn *turn);

G_END_DECLS
