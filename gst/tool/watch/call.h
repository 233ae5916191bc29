/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request to the page's server, and answers to it. */
#pragma once

#include <libsoup/soup.h>

#include "watch/access.h"
#include "watch/connections.h"
#include "watch/station.h"
#include "watch/streams.h"

G_BEGIN_DECLS

typedef struct {
  SoupServerMessage *message;
  WatchStations *stations;
  WatchStreams *streams;
  WatchAccess *access;
  const WatchConnections *connections;
  WatchStation *station; /* that the URL names, or NULL */
  const char *name;      /* what else it names: a file; or NULL */
} WatchCall;

/* type: of what is answered; bytes: taken. */
void watch_call_answer (const WatchCall *call, guint status, const char *type, GBytes *bytes);
/* json: taken. */
void watch_call_answer_json (const WatchCall *call, char *json);
/* {"error": what} */
void watch_call_refuse (const WatchCall *call, guint status, const char *what);
/* The same, of what watch_access_check () has refused. */
void watch_call_refuse_access (const WatchCall *call, guint status);
/* The file as it is on disk, with the range that is asked for. */
void watch_call_answer_file (const WatchCall *call, const char *type, const char *path);

/* What decides whether it is allowed; strings are the message's. */
WatchRequest watch_call_read_request (const WatchCall *call);
/* A string of the request's JSON object; NULL if it has none or an empty one. (transfer full) */
char *watch_call_get_string (const WatchCall *call, const char *member);
/* FALSE if it has none. */
gboolean watch_call_get_flag (const WatchCall *call, const char *member);

/* What there is to ask for: api.c. */
typedef struct {
  const char *method;
  /* "*" stands for a name: the first one for a camera. */
  const char *path;
  void (*answer) (const WatchCall *call);
  gboolean open; /* without the token, too */
} WatchRoute;

extern const WatchRoute watch_routes[]; /* up to a method of NULL */

G_END_DECLS
