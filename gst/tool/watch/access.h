/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may ask the page's server for what.
 *
 * Without a token requests have to name a loopback host: a page of another site whose name was
 * made to lead here (DNS rebinding) is refused. With a token it has to come as
 * "Authorization: Bearer TOKEN", or as the cookie that logging in gives. Requests that change
 * something have to be JSON and, from browsers, of the page's own origin, so that other sites'
 * forms and scripts can't send them.
 *
 * Who sends wrong tokens faster than anybody mistypes them is refused for the rest of the second,
 * right or wrong, so that guesses are slow over however many connections.
 *
 * Source: RFC 6750 (bearer tokens), RFC 6454 (origin), RFC 6265 (cookies). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WatchAccess WatchAccess;

/* token: copied; NULL: requests of this machine need none. */
WatchAccess *watch_access_new (const char *token);
void watch_access_free (WatchAccess *access);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WatchAccess, watch_access_free)

/* Another token ends the sessions of the one before; nothing happens if it is the same. */
void watch_access_set_token (WatchAccess *access, const char *token);

#define WATCH_MAX_WRONG 10 /* tokens of an address in a second */
#define WATCH_TOO_MANY_WRONG 429

/* Headers may be NULL. */
typedef struct {
  const char *host, *origin, *authorization, *cookie, *content_type;
  gboolean writes;
  const char *from; /* address of who asks; NULL: not known */
  gint64 time;      /* monotonic */
} WatchRequest;

/* 200, or the HTTP status with which the request is refused: 401 without the token, 403 for another
 * site, 415 for what is not JSON, WATCH_TOO_MANY_WRONG. */
guint watch_access_check (WatchAccess *access, const WatchRequest *request);

/* The same for a token that is sent to log in: 200, 401 or WATCH_TOO_MANY_WRONG. *cookie is the
 * value of Set-Cookie, NULL if it is refused. The time that it takes tells nothing of where tokens
 * differ. (out: transfer full) */
guint watch_access_log_in (WatchAccess *access, const WatchRequest *request, const char *token,
                           char **cookie);

G_END_DECLS
