/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In place of server.c, where libsoup is missing. */
#include "watch/server.h"

#include "base/error.h"

WatchServer *
watch_server_new (WatchStations *stations, GError **error)
{
  g_set_error_literal (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                       "this build has no page, because libsoup 3 was missing: install "
                       "libsoup-3.0-dev and build again, or set [page] listen=off");
  return NULL;
}

void
watch_server_free (WatchServer *server)
{
}

char *
watch_server_get_address (const WatchServer *server)
{
  return NULL;
}
