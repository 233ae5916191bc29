/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers that don't end: events (text/event-stream) and pictures (multipart/x-mixed-replace).
 *
 * A reader that is slow gets fewer pictures; of events it gets all, or is cut off and connects
 * again. Silent streams say something every 15 seconds, so that readers that are gone are noticed.
 *
 * Source: WHATWG HTML, server-sent events; RFC 2046, multipart. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

#define WATCH_MAX_STREAMS 32

typedef struct _WatchStreams WatchStreams;

/* left: called with a stream's topic when its reader has gone. */
WatchStreams *watch_streams_new (void (*left) (gconstpointer topic, gpointer data), gpointer data);
void watch_streams_free (WatchStreams *streams);

/* Answers the message with a stream; FALSE if there are too many. topic: what it is about, NULL for
 * events. */
gboolean watch_streams_add (WatchStreams *streams, SoupServerMessage *message, gconstpointer topic);

/* To all readers of events. json is one line or several. */
void watch_streams_tell (WatchStreams *streams, const char *kind, const char *json);
/* To the readers of this topic. */
void watch_streams_show (WatchStreams *streams, gconstpointer topic, GBytes *jpeg);
/* Called every 15 seconds: pictures are sent again; a stream that has had none for a minute ends.
 */
void watch_streams_ping (WatchStreams *streams);

G_END_DECLS
