/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Webhooks, by libsoup: one POST per message.
 *
 * 2xx: taken. 408, 425, 429 and 5xx, or no answer: tried again later, after Retry-After where the
 * server says so. 401 and 403: the token is read again, and where it is another one, sent at once;
 * 401 otherwise waits for a new one. What else a server answers will not change: the message is
 * refused.
 *
 * Source: RFC 9110 (HTTP), RFC 6585 (429), RFC 6750 (bearer tokens). */
#include <libsoup/soup.h>

#include "base/error.h"
#include "publish/address.h"
#include "publish/destination.h"
#include "publish/secret.h"

#define GST_CAT_DEFAULT publish_debug

#define MAX_RETRY_AFTER 3600 /* seconds */
#define MAX_ANSWER 65536     /* bytes that are read, so that the connection can be used again */

typedef struct {
  PublishDestination parent;
  SoupSession *session;
  GTlsCertificate *certificate; /* the client's; NULL: none */
  char *authorization;          /* header; NULL: none */
} WebhookDestination;

static gboolean
fail (const WebhookDestination *self, const char *what, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: %s", self->parent.options.location, what);
  return FALSE;
}

/* ---- Opening ---- */

static gboolean
set_tls (WebhookDestination *self, GError **error)
{
  const PublishOptions *options = &self->parent.options;
  g_autoptr (GTlsDatabase) authorities = NULL;

  if (options->tls_ca != NULL) {
    authorities = g_tls_file_database_new (options->tls_ca, error);
    if (authorities == NULL)
      return FALSE;
    soup_session_set_tls_database (self->session, authorities);
  }
  if (options->tls_cert != NULL)
    self->certificate = g_tls_certificate_new_from_files (
        options->tls_cert, options->tls_key != NULL ? options->tls_key : options->tls_cert, error);
  return options->tls_cert == NULL || self->certificate != NULL;
}

/* The header's value; NULL: none. (transfer full) */
static gboolean
read_authorization (const WebhookDestination *self, char **authorization, GError **error)
{
  char *secret;

  *authorization = NULL;
  if (!publish_options_read_secret (&self->parent.options, &secret, error))
    return FALSE;
  if (secret != NULL)
    *authorization = g_strconcat ("Bearer ", secret, NULL);
  publish_secret_free (secret);
  return TRUE;
}

/* *renewed: whether the token is another one now. */
static gboolean
renew_authorization (WebhookDestination *self, gboolean *renewed, GError **error)
{
  char *authorization;

  if (!read_authorization (self, &authorization, error))
    return FALSE;
  *renewed = g_strcmp0 (authorization, self->authorization) != 0;
  g_clear_pointer (&self->authorization, publish_secret_free);
  self->authorization = authorization;
  return TRUE;
}

static void
close_webhook (PublishDestination *destination, GCancellable *cancellable)
{
  WebhookDestination *self = (WebhookDestination *)destination;

  g_clear_object (&self->session);
  g_clear_object (&self->certificate);
  g_clear_pointer (&self->authorization, publish_secret_free);
}

static gboolean
open_webhook (PublishDestination *destination, const char *source, GCancellable *cancellable,
              GError **error)
{
  WebhookDestination *self = (WebhookDestination *)destination;
  guint timeout = (guint)(destination->options.timeout / GST_SECOND) + 1;

  if (!read_authorization (self, &self->authorization, error))
    return FALSE;
  self->session =
      soup_session_new_with_options ("timeout", timeout, "user-agent", "gst-ensemble ", NULL);
  if (set_tls (self, error))
    return TRUE;
  close_webhook (destination, NULL);
  return FALSE;
}

/* ---- Sending ---- */

typedef enum { TAKEN, LATER, REFUSED } Answer;

static Answer
judge (const WebhookDestination *self, guint status)
{
  if (SOUP_STATUS_IS_SUCCESSFUL (status))
    return TAKEN;
  if (SOUP_STATUS_IS_SERVER_ERROR (status) || status == SOUP_STATUS_REQUEST_TIMEOUT || status == 425
      || status == 429 || (status == SOUP_STATUS_UNAUTHORIZED && self->authorization != NULL))
    return LATER;
  return REFUSED;
}

/* Seconds, or a date. */
static GTimeSpan
read_retry_after (const char *text)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc (), then = NULL;
  guint64 seconds;

  if (g_ascii_string_to_unsigned (text, 10, 0, MAX_RETRY_AFTER, &seconds, NULL))
    return (GTimeSpan)seconds * G_TIME_SPAN_SECOND;
  then = soup_date_time_new_from_http_string (text);
  return then != NULL ? g_date_time_difference (then, now) : 0;
}

static void
heed_retry_after (WebhookDestination *self, SoupMessage *message)
{
  const char *text =
      soup_message_headers_get_one (soup_message_get_response_headers (message), "Retry-After");
  const GTimeSpan longest = MAX_RETRY_AFTER * G_TIME_SPAN_SECOND;
  const GTimeSpan wait = text != NULL ? CLAMP (read_retry_after (text), 0, longest) : 0;

  self->parent.not_before = g_get_monotonic_time () + wait;
}

static SoupMessage *
make_request (WebhookDestination *self, const PublishRecord *record)
{
  SoupMessage *message = soup_message_new (SOUP_METHOD_POST, self->parent.options.location);
  /* Without its newline. */
  g_autoptr (GBytes) body = g_bytes_new (record->line, record->length - 1);

  soup_message_set_request_body_from_bytes (message, "application/json", body);
  if (self->authorization != NULL)
    soup_message_headers_replace (soup_message_get_request_headers (message), "Authorization",
                                  self->authorization);
  if (self->certificate != NULL)
    soup_message_set_tls_client_certificate (message, self->certificate);
  /* A redirection would turn the POST into a GET, and take the token elsewhere. */
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  return message;
}

/* A server may say as much as it likes, for ever: what matters is the status. */
static gboolean
skip_answer (GInputStream *answer, GCancellable *cancellable, GError **error)
{
  gsize total = 0;
  gssize n;

  do {
    n = g_input_stream_skip (answer, MAX_ANSWER - total, cancellable, error);
    total += (gsize)MAX (n, 0);
  } while (n > 0 && total < MAX_ANSWER);
  return n >= 0;
}

/* FALSE: to be tried again, at once where *renewed. */
static gboolean
try_post (WebhookDestination *self, const PublishRecord *record, PublishDelivery *delivery,
          GCancellable *cancellable, gboolean *renewed, GError **error)
{
  g_autoptr (SoupMessage) message = make_request (self, record);
  g_autoptr (GError) reason = NULL;
  g_autoptr (GInputStream) answer =
      soup_session_send (self->session, message, cancellable, &reason);
  guint status = soup_message_get_status (message);
  g_autofree char *text =
      g_strdup_printf ("%u %s", status, soup_message_get_reason_phrase (message));

  if (answer == NULL || !skip_answer (answer, cancellable, &reason))
    return fail (self, reason->message, error);
  if ((status == SOUP_STATUS_UNAUTHORIZED || status == SOUP_STATUS_FORBIDDEN)
      && (!renew_authorization (self, renewed, error) || *renewed))
    return FALSE;
  if (judge (self, status) == LATER) {
    heed_retry_after (self, message);
    return fail (self, text, error);
  }
  delivery->done++;
  if (judge (self, status) == TAKEN)
    return TRUE;
  delivery->refused++;
  g_clear_error (&delivery->reason);
  fail (self, text, &delivery->reason);
  return TRUE;
}

static gboolean
post (WebhookDestination *self, const PublishRecord *record, PublishDelivery *delivery,
      GCancellable *cancellable, GError **error)
{
  gboolean done, renewed;

  do {
    renewed = FALSE;
    done = try_post (self, record, delivery, cancellable, &renewed, error);
  } while (!done && renewed);
  return done;
}

static gboolean
send_posts (PublishDestination *destination, PublishRecord *const *records, guint n,
            PublishDelivery *delivery, GCancellable *cancellable, GError **error)
{
  WebhookDestination *self = (WebhookDestination *)destination;

  for (guint i = 0; i < n; i++)
    if (!post (self, records[i], delivery, cancellable, error))
      return FALSE;
  return TRUE;
}

static const PublishDestinationClass webhook_class = {
    .open = open_webhook,
    .send = send_posts,
    .close = close_webhook,
    .retry_min = 250,
    .retry_max = 30000,
};

/* libsoup is stricter than most. */
static gboolean
check_location (const char *location, GError **error)
{
  g_autoptr (SoupMessage) message = soup_message_new (SOUP_METHOD_POST, location);

  if (message != NULL)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "%s: expected http://HOST/PATH with %% in front of two hexadecimal digits alone, "
               "found another address",
               location);
  return FALSE;
}

PublishDestination *
publish_webhook_new (const PublishOptions *options, GError **error)
{
  PublishAddress address;
  WebhookDestination *self;

  if (!publish_address_parse (options->location, 80, 443, &address, error))
    return NULL;
  publish_address_clear (&address);
  if (!check_location (options->location, error))
    return NULL;
  self = publish_destination_alloc (sizeof *self, &webhook_class, options);
  return &self->parent;
}
