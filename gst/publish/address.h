/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: a host on the network. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  char *host, *user; /* user: NULL if the URI has none */
  int port;
  gboolean tls; /* the scheme ends in s */
} PublishAddress;

/* From SCHEME://[USER@]HOST[:PORT]. A password in it is an error: locations are shown and logged.
 */
gboolean publish_address_parse (const char *uri, int port, int tls_port, PublishAddress *address,
                                GError **error);
void publish_address_clear (PublishAddress *address);

/* Whether somebody listens there; at most `timeout` nanoseconds. */
gboolean publish_address_reach (const PublishAddress *address, guint64 timeout,
                                GCancellable *cancellable, GError **error);

/* Whether the URI has a password, which is an error. */
gboolean publish_address_check (const char *uri, GError **error);

G_END_DECLS
