/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page and what it talks to, by libsoup; README.md has the table of URLs. Of the main thread.
 */
#pragma once

#include "watch/station.h"

G_BEGIN_DECLS

typedef struct _WatchServer WatchServer;

/* Listens where the configuration says; port 0 is any free one. The stations are the caller's, and
 * stay. NULL with an error if it can't listen or has no token. (transfer full) */
WatchServer *watch_server_new (WatchStations *stations, GError **error);
/* Ends all connections. */
void watch_server_free (WatchServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WatchServer, watch_server_free)

/* Such as http://127.0.0.1:8420/. (transfer full) */
char *watch_server_get_address (const WatchServer *server);

G_END_DECLS
