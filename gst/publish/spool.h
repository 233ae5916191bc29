/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: messages on disk, while their receiver is away.
 *
 * A folder of segments, NUMBER.spool, each a line per message: its kind, its source and its JSON,
 * with tabs between; and the file `cursor`, which says up to where messages have been sent. What a
 * crash leaves is sound: half a line is cut off, and messages that were sent but not yet crossed
 * off are sent again. A lock keeps other processes and elements away. One thread at a time. */
#pragma once

#include "publish/record.h"

G_BEGIN_DECLS

typedef struct _PublishSpool PublishSpool;

/* Makes the folder where there is none. `limit`: bytes of all segments. G_IO_ERROR_BUSY: it is
 * somebody else's, now; else a G_FILE_ERROR. (transfer full) */
PublishSpool *publish_spool_open (const char *folder, guint64 limit, GError **error);
void publish_spool_close (PublishSpool *self);

guint64 publish_spool_get_length (const PublishSpool *self); /* messages */
/* Adds a message at the end; *lost grows by the messages that had to go for it, the oldest first.
 * FALSE: it was not written, nor a part of it. */
gboolean publish_spool_push (PublishSpool *self, const PublishRecord *record, guint64 *lost,
                             GError **error);
/* Up to n of the oldest messages, which stay; *lost grows by those that are there no more. An error
 * comes with none of them: they can't be read now. (transfer full) (element-type PublishRecord) */
GPtrArray *publish_spool_peek (PublishSpool *self, guint n, guint64 *lost, GError **error);
/* Crosses off as many of those that were peeked last. */
void publish_spool_drop (PublishSpool *self, guint n);

G_END_DECLS
