/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/access.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/random.h>

#include "publish/secret.h"

#define COOKIE "gst-ensemble-session"
#define BEARER "Bearer "
#define DIGEST 32
#define SESSION 32

struct _WatchAccess {
  char *token;         /* NULL: none */
  char *session;       /* what the cookie holds: random, of this process */
  gint64 second;       /* of the wrong tokens that are counted */
  GHashTable *n_wrong; /* address → how many */
};

/* (transfer full) */
static char *
make_session (void)
{
  guint8 bytes[SESSION];
  GString *text = g_string_new (NULL);

  if (getrandom (bytes, sizeof bytes, 0) != (gssize)sizeof bytes)
    g_error ("the system has no random numbers");
  for (guint i = 0; i < SESSION; i++)
    g_string_append_printf (text, "%02x", bytes[i]);
  return g_string_free (text, FALSE);
}

WatchAccess *
watch_access_new (const char *token)
{
  WatchAccess *access = g_new0 (WatchAccess, 1);

  access->token = g_strdup (token);
  access->session = make_session ();
  access->n_wrong = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return access;
}

void
watch_access_set_token (WatchAccess *access, const char *token)
{
  if (g_strcmp0 (access->token, token) == 0)
    return;
  publish_secret_free (access->token);
  publish_secret_free (access->session);
  access->token = g_strdup (token);
  access->session = make_session ();
}

void
watch_access_free (WatchAccess *access)
{
  publish_secret_free (access->token);
  publish_secret_free (access->session);
  g_hash_table_unref (access->n_wrong);
  g_free (access);
}

static void
digest (const char *text, guint8 *sum)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = DIGEST;

  g_checksum_update (checksum, (const guchar *)text, (gssize)strlen (text));
  g_checksum_get_digest (checksum, sum, &size);
}

/* Digests are of one length and compared to their end, wherever they differ. */
static gboolean
equal (const char *a, const char *b)
{
  guint8 left[DIGEST], right[DIGEST];
  volatile guint8 difference = 0;

  digest (a, left);
  digest (b, right);
  for (guint i = 0; i < DIGEST; i++)
    difference |= left[i] ^ right[i];
  return difference == 0;
}

static gboolean
has_cookie (const WatchAccess *access, const char *header)
{
  g_auto (GStrv) cookies = g_strsplit (header, ";", -1);

  for (guint i = 0; cookies[i] != NULL; i++) {
    const char *cookie = g_strstrip (cookies[i]);

    if (g_str_has_prefix (cookie, COOKIE "=")
        && equal (cookie + strlen (COOKIE "="), access->session))
      return TRUE;
  }
  return FALSE;
}

/* Of this second: what was counted before is forgotten. */
static guint
count_wrong (WatchAccess *access, const WatchRequest *request, guint more)
{
  const char *from = request->from != NULL ? request->from : "";
  guint n;

  if (request->time / G_TIME_SPAN_SECOND != access->second)
    g_hash_table_remove_all (access->n_wrong);
  access->second = request->time / G_TIME_SPAN_SECOND;
  n = GPOINTER_TO_UINT (g_hash_table_lookup (access->n_wrong, from)) + more;
  if (more > 0)
    g_hash_table_insert (access->n_wrong, g_strdup (from), GUINT_TO_POINTER (n));
  return n;
}

static guint
check_token (WatchAccess *access, const WatchRequest *request, const char *token)
{
  if (count_wrong (access, request, 0) >= WATCH_MAX_WRONG)
    return WATCH_TOO_MANY_WRONG;
  if (equal (token, access->token))
    return 200;
  count_wrong (access, request, 1);
  return 401;
}

/* "localhost:8420", "127.0.0.1", "[::1]:8420". */
static gboolean
is_loopback (const char *host)
{
  g_autoptr (GSocketConnectable) address =
      host != NULL ? g_network_address_parse (host, 0, NULL) : NULL;
  const char *name;
  g_autoptr (GInetAddress) numeric = NULL;

  if (address == NULL)
    return FALSE;
  name = g_network_address_get_hostname (G_NETWORK_ADDRESS (address));
  if (g_ascii_strcasecmp (name, "localhost") == 0)
    return TRUE;
  numeric = g_inet_address_new_from_string (name);
  return numeric != NULL && g_inet_address_get_is_loopback (numeric);
}

/* A cookie is random, and nobody's choice: guesses of it need not be counted. */
static guint
check_who (WatchAccess *access, const WatchRequest *request)
{
  const char *authorization = request->authorization;

  if (access->token == NULL)
    return is_loopback (request->host) ? 200 : 403;
  if (authorization != NULL && g_ascii_strncasecmp (authorization, BEARER, strlen (BEARER)) == 0)
    return check_token (access, request, authorization + strlen (BEARER));
  return request->cookie != NULL && has_cookie (access, request->cookie) ? 200 : 401;
}

/* Scripts outside browsers send no origin. */
static gboolean
is_own_origin (const WatchRequest *request)
{
  const char *host;

  if (request->origin == NULL)
    return TRUE;
  host = strstr (request->origin, "://");
  return host != NULL && request->host != NULL
         && g_ascii_strcasecmp (host + strlen ("://"), request->host) == 0;
}

guint
watch_access_check (WatchAccess *access, const WatchRequest *request)
{
  const guint status = check_who (access, request);

  if (status != 200 || !request->writes)
    return status;
  if (!is_own_origin (request))
    return 403;
  return g_strcmp0 (request->content_type, "application/json") == 0 ? 200 : 415;
}

guint
watch_access_log_in (WatchAccess *access, const WatchRequest *request, const char *token,
                     char **cookie)
{
  const guint status = access->token != NULL ? check_token (access, request, token) : 401;

  *cookie = status == 200
                ? g_strdup_printf (COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict", access->session)
                : NULL;
  return status;
}
