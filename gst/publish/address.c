/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/address.h"

#include "base/error.h"

#define FLAGS (G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_PARSE_RELAXED)

gboolean
publish_address_check (const char *uri, GError **error)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, FLAGS, error);

  if (parsed == NULL)
    return FALSE;
  if (g_uri_get_password (parsed) == NULL)
    return TRUE;
  g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT,
                       "location: expected an address without a password, found one with; "
                       "secret=file:PATH or secret=env:NAME keeps it out of logs");
  return FALSE;
}

gboolean
publish_address_parse (const char *uri, int port, int tls_port, PublishAddress *address,
                       GError **error)
{
  g_autoptr (GUri) parsed = NULL;

  if (!publish_address_check (uri, error))
    return FALSE;
  parsed = g_uri_parse (uri, FLAGS, NULL);
  if (g_uri_get_host (parsed) == NULL || *g_uri_get_host (parsed) == '\0') {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: expected SCHEME://HOST, found no host",
                 uri);
    return FALSE;
  }
  *address =
      (PublishAddress) {g_strdup (g_uri_get_host (parsed)), g_strdup (g_uri_get_user (parsed)),
                        g_uri_get_port (parsed), g_str_has_suffix (g_uri_get_scheme (parsed), "s")};
  if (address->port <= 0)
    address->port = address->tls ? tls_port : port;
  return TRUE;
}

void
publish_address_clear (PublishAddress *address)
{
  g_free (address->host);
  g_free (address->user);
}

gboolean
publish_address_reach (const PublishAddress *address, guint64 timeout, GCancellable *cancellable,
                       GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GError) reason = NULL;

  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_timeout (client, (guint)(timeout / G_GUINT64_CONSTANT (1000000000)) + 1);
  connection = g_socket_client_connect_to_host (client, address->host, (guint16)address->port,
                                                cancellable, &reason);
  if (connection != NULL)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s:%d: %s", address->host, address->port,
               reason->message);
  return FALSE;
}
