/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Room on the disk of the clips: where less is free than has to stay free, the oldest clips go;
 * where no more can go, nothing is to be recorded until there is room again. Of the main thread. */
#pragma once

#include "watch/config.h"

G_BEGIN_DECLS

typedef struct _WatchRoom WatchRoom;

/* The configuration is the caller's, and stays. (transfer full) */
WatchRoom *watch_room_new (const WatchConfig *config);
void watch_room_free (WatchRoom *room);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WatchRoom, watch_room_free)

/* Looks at the disk, and makes room. To be called as often as one likes; `now` is monotonic.
 * Returns whether what watch_room_get_problem () says has changed. */
gboolean watch_room_check (WatchRoom *room, gint64 now);
/* Why nothing is to be recorded; NULL: there is room. */
const char *watch_room_get_problem (const WatchRoom *room);
/* Clips that went for want of room. */
guint watch_room_get_n_removed (const WatchRoom *room);

G_END_DECLS
