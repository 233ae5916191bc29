/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/back-off.h"

#define FIRST 1000
#define LONGEST 60000
#define CALM (30 * G_TIME_SPAN_SECOND)

void
watch_back_off_play (WatchBackOff *back_off, gint64 now)
{
  if (back_off->playing_since == 0)
    back_off->playing_since = now;
}

guint
watch_back_off_fail (WatchBackOff *back_off, gint64 now, double random)
{
  guint wait = FIRST;

  if (back_off->playing_since != 0 && now - back_off->playing_since >= CALM)
    back_off->failures = 0;
  for (guint i = 0; i < back_off->failures && wait < LONGEST; i++)
    wait *= 2;
  back_off->failures++;
  back_off->playing_since = 0;
  wait = MIN (wait, LONGEST);
  return wait + (guint)(random * wait / 4);
}
