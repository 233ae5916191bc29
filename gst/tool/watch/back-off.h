/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a camera that failed is left alone: 1 s, then twice as long each time, a minute at most;
 * from the beginning after it has worked for half a minute. Up to a quarter is added at random, so
 * that cameras that failed together don't come back together. Times are of
 * g_get_monotonic_time (). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint failures;
  gint64 playing_since; /* 0: it does not play */
} WatchBackOff;

void watch_back_off_play (WatchBackOff *back_off, gint64 now);
/* `random` in [0, 1). Milliseconds until the next attempt. */
guint watch_back_off_fail (WatchBackOff *back_off, gint64 now, double random);

G_END_DECLS
