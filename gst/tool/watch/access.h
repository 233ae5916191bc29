/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may ask the page's server for what.
 *
 * Without a token requests have to name a loopback host: a page of another site whose name was
 * made to lead here (DNS rebinding) is refused. With a token it has to come as
 * "Authorization: Bearer TOKEN", or as the cookie that logging in gives. Requests that change
 * something have to be JSON and, from browsers, of the page's own origin, so that other sites'
 * forms and scripts can't send them.
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

/* Headers may be NULL. */
typedef struct {
  const char *host, *origin, *authorization, *cookie, *content_type;
  gboolean writes;
} WatchRequest;

/* 200, or the HTTP status with which the request is refused: 401 without the token, 403 for another
 * site, 415 for what is not JSON. */
guint watch_access_check (const WatchAccess *access, const WatchRequest *request);

/* Value of Set-Cookie if this is the token, else NULL; the time that it takes tells nothing of
 * where they differ. (transfer full) */
char *watch_access_log_in (const WatchAccess *access, const char *token);

G_END_DECLS
