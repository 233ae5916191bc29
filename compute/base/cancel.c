/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/cancel.h"

/* How long a thread waits for its turn before it looks whether it was cancelled. */
#define SLICE (10 * G_TIME_SPAN_MILLISECOND)

gboolean
ens_check_cancelled (GCancellable *cancellable, GError **error)
{
  if (!g_cancellable_is_cancelled (cancellable))
    return TRUE;
  g_set_error_literal (error, ENS_ERROR, ENS_ERROR_CANCELLED, "the work was cancelled");
  return FALSE;
}

void
ens_turn_init (EnsTurn *turn)
{
  g_mutex_init (&turn->lock);
  g_cond_init (&turn->freed);
  turn->taken = FALSE;
  turn->n_waiting = 0;
}

void
ens_turn_clear (EnsTurn *turn)
{
  g_mutex_clear (&turn->lock);
  g_cond_clear (&turn->freed);
}

gboolean
ens_turn_take (EnsTurn *turn, GCancellable *cancellable)
{
  gboolean got;

  g_mutex_lock (&turn->lock);
  turn->n_waiting++;
  while (turn->taken && !g_cancellable_is_cancelled (cancellable)) {
    if (cancellable == NULL)
      g_cond_wait (&turn->freed, &turn->lock);
    else
      g_cond_wait_until (&turn->freed, &turn->lock, g_get_monotonic_time () + SLICE);
  }
  turn->n_waiting--;
  got = !turn->taken;
  turn->taken = TRUE;
  g_mutex_unlock (&turn->lock);
  return got;
}

gboolean
ens_turn_try (EnsTurn *turn)
{
  gboolean got;

  g_mutex_lock (&turn->lock);
  got = !turn->taken;
  turn->taken = TRUE;
  g_mutex_unlock (&turn->lock);
  return got;
}

void
ens_turn_leave (EnsTurn *turn)
{
  g_mutex_lock (&turn->lock);
  turn->taken = FALSE;
  if (turn->n_waiting > 0)
    g_cond_signal (&turn->freed);
  g_mutex_unlock (&turn->lock);
}
