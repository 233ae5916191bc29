/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much of a server its clients can hold: connections, and the time that a request takes to
 * arrive, so that clients that send nothing, or a byte now and then ("slow loris"), end.
 *
 * A connection serves one request: libsoup 3.2 never closes one that waits for the next request
 * when its client goes. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _WatchConnections WatchConnections;

typedef struct {
  guint max;     /* connections; more are closed at once */
  guint request; /* seconds from the connection to the end of the request */
  guint silence; /* seconds that a client may let an answer wait */
} WatchConnectionLimits;

/* Before the server listens. (transfer full) */
WatchConnections *watch_connections_new (SoupServer *server, const WatchConnectionLimits *limits);
void watch_connections_free (WatchConnections *connections);

typedef struct {
  guint open;             /* now */
  guint refused, cut_off; /* since the start: one too many; without a request in time */
} WatchConnectionCounts;

WatchConnectionCounts watch_connections_get_counts (const WatchConnections *connections);

G_END_DECLS
