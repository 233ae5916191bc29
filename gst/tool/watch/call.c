/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/call.h"

#include <string.h>

#include "base/json-reader.h"

/* A page of this server runs its own scripts only, and is in no other page's frame. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src "
    "'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

static void
set_headers (const WatchCall *call)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (call->message);

  soup_message_headers_replace (headers, "Content-Security-Policy", policy);
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_message_headers_replace (headers, "Referrer-Policy", "no-referrer");
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
}

void
watch_call_answer (const WatchCall *call, guint status, const char *type, GBytes *bytes)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (call->message);

  set_headers (call);
  soup_server_message_set_status (call->message, status, NULL);
  soup_message_headers_set_content_type (headers, type, NULL);
  soup_message_body_append_bytes (soup_server_message_get_response_body (call->message), bytes);
  g_bytes_unref (bytes);
}

void
watch_call_answer_json (const WatchCall *call, char *json)
{
  watch_call_answer (call, SOUP_STATUS_OK, "application/json",
                     g_bytes_new_take (json, strlen (json)));
}

void
watch_call_refuse (const WatchCall *call, guint status, const char *what)
{
  char *text;
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "error", what);
  ens_json_close (&json);
  text = ens_json_finish (&json);
  watch_call_answer (call, status, "application/json", g_bytes_new_take (text, strlen (text)));
}

static const char *
explain (guint status)
{
  switch (status) {
  case SOUP_STATUS_UNAUTHORIZED:
    return "a token is needed: Authorization: Bearer TOKEN";
  case WATCH_TOO_MANY_WRONG:
    return "too many wrong tokens came from this address; try again in a second";
  case SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE:
    return "expected Content-Type: application/json";
  default:
    return "requests have to come from this server's own page; without a token it is for this "
           "machine only";
  }
}

void
watch_call_refuse_access (const WatchCall *call, guint status)
{
  watch_call_refuse (call, status, explain (status));
}

/* libsoup cuts out what is asked for by Range: of several parts, which no player asks for, it makes
 * copies, of one it does not. */
static void
ignore_several_ranges (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *range = soup_message_headers_get_one (headers, "Range");

  if (range != NULL && strchr (range, ',') != NULL)
    soup_message_headers_remove (headers, "Range");
}

void
watch_call_answer_file (const WatchCall *call, const char *type, const char *path)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);

  if (file == NULL) {
    watch_call_refuse (call, SOUP_STATUS_NOT_FOUND, "there is no such file");
    return;
  }
  ignore_several_ranges (call->message);
  watch_call_answer (call, SOUP_STATUS_OK, type, g_mapped_file_get_bytes (file));
}

WatchRequest
watch_call_read_request (const WatchCall *call)
{
  SoupServerMessage *message = call->message;
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *method = soup_server_message_get_method (message);

  return (WatchRequest) {
      .host = soup_message_headers_get_one (headers, "Host"),
      .origin = soup_message_headers_get_one (headers, "Origin"),
      .authorization = soup_message_headers_get_one (headers, "Authorization"),
      .cookie = soup_message_headers_get_list (headers, "Cookie"),
      .content_type = soup_message_headers_get_content_type (headers, NULL),
      .from = soup_server_message_get_remote_host (message),
      .time = g_get_monotonic_time (),
      .writes = strcmp (method, "GET") != 0,
  };
}

/* Of the body's object. (transfer full) (nullable) */
static EnsJsonReader *
read_body (const WatchCall *call)
{
  const SoupMessageBody *body = soup_server_message_get_request_body (call->message);

  return body->data != NULL ? ens_json_reader_parse ("body", body->data, (gsize)body->length, NULL)
                            : NULL;
}

char *
watch_call_get_string (const WatchCall *call, const char *member)
{
  g_autoptr (EnsJsonReader) reader = read_body (call);

  return reader != NULL ? ens_json_reader_string (reader, member) : NULL;
}

gboolean
watch_call_get_flag (const WatchCall *call, const char *member)
{
  g_autoptr (EnsJsonReader) reader = read_body (call);

  return reader != NULL && ens_json_reader_boolean (reader, member);
}
