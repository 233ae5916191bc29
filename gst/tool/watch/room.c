/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/room.h"

#include <errno.h>

#include "base/disk.h"
#include "base/files.h"
#include "watch/clip-folder.h"

/* Between looks at the disk. After clips went it waits longer: some file systems count their bytes
 * as free only later (Btrfs: half a minute), and meanwhile more clips would go than have to. */
#define INTERVAL (10 * G_TIME_SPAN_SECOND)
#define PATIENCE G_TIME_SPAN_MINUTE

struct _WatchRoom {
  const char *folder; /* the configuration's */
  guint64 reserve;
  char *low;       /* what is said when there is no room */
  gboolean is_low; /* and whether that is so */
  gint64 next;     /* monotonic: when to look again */
  guint n_removed;
};

WatchRoom *
watch_room_new (const WatchConfig *config)
{
  WatchRoom *room = g_new0 (WatchRoom, 1);

  room->folder = config->record_folder;
  room->reserve = (guint64)config->reserve << 20;
  room->low = g_strdup_printf ("%s: less than %u MiB are free, and no older clip can go%s",
                               config->record_folder, config->reserve, ens_write_advice (ENOSPC));
  room->next = G_MININT64;
  return room;
}

void
watch_room_free (WatchRoom *room)
{
  g_free (room->low);
  g_free (room);
}

gboolean
watch_room_check (WatchRoom *room, gint64 now)
{
  const gboolean was_low = room->is_low;
  WatchClipsRemoved removed = {0};
  guint64 missing;

  if (now < room->next)
    return FALSE;
  missing = ens_disk_get_missing (room->folder, room->reserve, was_low);
  if (missing > 0)
    removed = watch_clips_remove (room->folder, missing);
  room->n_removed += removed.n;
  room->is_low = missing > removed.bytes;
  room->next = now + (removed.n > 0 ? PATIENCE : INTERVAL);
  return room->is_low != was_low;
}

const char *
watch_room_get_problem (const WatchRoom *room)
{
  return room->is_low ? room->low : NULL;
}

guint
watch_room_get_n_removed (const WatchRoom *room)
{
  return room->n_removed;
}
