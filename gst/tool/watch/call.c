/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/call.h"

#include <json-glib/json-glib.h>

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

void
watch_call_answer_file (const WatchCall *call, const char *type, const char *path)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);

  if (file == NULL) {
    watch_call_refuse (call, SOUP_STATUS_NOT_FOUND, "there is no such file");
    return;
  }
  /* libsoup cuts out what is asked for by Range. */
  watch_call_answer (call, SOUP_STATUS_OK, type, g_mapped_file_get_bytes (file));
}

/* A member of the body's object, if its value has that type. (transfer full) (nullable) */
static JsonNode *
get_member (const WatchCall *call, const char *member, GType type)
{
  const SoupMessageBody *body = soup_server_message_get_request_body (call->message);
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *root, *node;

  if (!json_parser_load_from_data (parser, body->data, (gssize)body->length, NULL))
    return NULL;
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return NULL;
  node = json_object_get_member (json_node_get_object (root), member);
  return node != NULL && json_node_get_value_type (node) == type ? json_node_copy (node) : NULL;
}

char *
watch_call_get_string (const WatchCall *call, const char *member)
{
  g_autoptr (JsonNode) node = get_member (call, member, G_TYPE_STRING);

  return node != NULL ? json_node_dup_string (node) : NULL;
}

gboolean
watch_call_get_flag (const WatchCall *call, const char *member)
{
  g_autoptr (JsonNode) node = get_member (call, member, G_TYPE_BOOLEAN);

  return node != NULL && json_node_get_boolean (node);
}
