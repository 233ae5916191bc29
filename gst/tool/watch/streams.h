/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers that don't end: events (text/event-stream) and pictures (multipart/x-mixed-replace).
 *
 * A reader that is slow gets fewer pictures and fewer events. Source: WHATWG
 * HTML, server-sent events; RFC 2046, multipart. */
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

G_END_DECLS
