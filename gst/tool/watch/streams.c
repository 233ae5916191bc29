/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/streams.h"

#include <string.h>

#define BOUNDARY "gst-ensemble-picture"
/* Bytes of events that may wait for a reader, and seconds after which a silent stream says
 * something, so that readers that are gone are noticed. */
#define MAX_WAITING (256 << 10)
#define PING 15
#define MAX_SILENCE 4 /* pings before the first picture */

typedef struct {
  WatchStreams *streams;
  SoupServerMessage *message; /* owned */
  gconstpointer topic;
  gsize waiting; /* bytes that were not written yet */
  guint silence; /* pings without a picture so far */
  GBytes *part;  /* with the last picture; NULL: there was none */
  gboolean ended;
} Stream;

struct _WatchStreams {
  void (*left) (gconstpointer topic, gpointer data);
  gpointer data;
  GList *list; /* Stream */
  guint ping;
};

static void
append (Stream *stream, GBytes *bytes)
{
  SoupMessageBody *body = soup_server_message_get_response_body (stream->message);

  soup_message_body_append_bytes (body, bytes);
  stream->waiting += g_bytes_get_size (bytes);
  soup_server_message_unpause (stream->message);
}

static void
append_text (Stream *stream, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  append (stream, bytes);
}

/* After what waits. */
static void
end (Stream *stream)
{
  stream->ended = TRUE;
  soup_message_body_complete (soup_server_message_get_response_body (stream->message));
  soup_server_message_unpause (stream->message);
}

/* A picture may be shown twice, but something that isn't one can't be sent in its place. */
static void
ping (Stream *stream)
{
  if (stream->topic == NULL)
    append_text (stream, ": \n\n");
  else if (stream->part != NULL)
    append (stream, stream->part);
  else if (++stream->silence >= MAX_SILENCE)
    end (stream);
}

void
watch_streams_ping (WatchStreams *streams)
{
  for (GList *link = streams->list; link != NULL; link = link->next) {
    Stream *stream = link->data;

    if (!stream->ended && stream->waiting == 0)
      ping (stream);
  }
}

static gboolean
on_ping (gpointer data)
{
  watch_streams_ping (data);
  return G_SOURCE_CONTINUE;
}

WatchStreams *
watch_streams_new (void (*left) (gconstpointer topic, gpointer data), gpointer data)
{
  WatchStreams *streams = g_new0 (WatchStreams, 1);

  streams->left = left;
  streams->data = data;
  streams->ping = g_timeout_add_seconds (PING, on_ping, streams);
  return streams;
}

static void
free_stream (Stream *stream)
{
  g_signal_handlers_disconnect_by_data (stream->message, stream);
  g_object_unref (stream->message);
  g_clear_pointer (&stream->part, g_bytes_unref);
  g_free (stream);
}

void
watch_streams_free (WatchStreams *streams)
{
  g_source_remove (streams->ping);
  g_list_free_full (streams->list, (GDestroyNotify)free_stream);
  g_free (streams);
}

static void
on_finished (SoupServerMessage *message, Stream *stream)
{
  WatchStreams *streams = stream->streams;
  const gconstpointer topic = stream->topic;

  streams->list = g_list_remove (streams->list, stream);
  free_stream (stream);
  if (topic != NULL)
    streams->left (topic, streams->data);
}

static void
on_wrote (SoupServerMessage *message, guint n_bytes, Stream *stream)
{
  stream->waiting -= MIN (stream->waiting, n_bytes);
}

/* Pictures replace each other; nothing of it is kept. */
static void
set_up_message (SoupServerMessage *message, gboolean pictures)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_message_headers_replace (headers, "Content-Type",
                                pictures ? "multipart/x-mixed-replace; boundary=" BOUNDARY
                                         : "text/event-stream");
  soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
}

gboolean
watch_streams_add (WatchStreams *streams, SoupServerMessage *message, gconstpointer topic)
{
  Stream *stream;

  if (g_list_length (streams->list) >= WATCH_MAX_STREAMS)
    return FALSE;
  stream = g_new0 (Stream, 1);
  stream->streams = streams;
  stream->message = g_object_ref (message);
  stream->topic = topic;
  streams->list = g_list_prepend (streams->list, stream);
  set_up_message (message, topic != NULL);
  g_signal_connect (message, "finished", G_CALLBACK (on_finished), stream);
  g_signal_connect (message, "wrote-body-data", G_CALLBACK (on_wrote), stream);
  append_text (stream, topic != NULL ? "--" BOUNDARY "\r\n" : "retry: 2000\n\n");
  return TRUE;
}

/* A line of data for each line of the text. (transfer full) */
static char *
frame_event (const char *kind, const char *json)
{
  g_auto (GStrv) lines = g_strsplit (json, "\n", -1);
  g_autofree char *data = g_strjoinv ("\ndata: ", lines);

  return g_strdup_printf ("event: %s\ndata: %s\n\n", kind, data);
}

void
watch_streams_tell (WatchStreams *streams, const char *kind, const char *json)
{
  g_autofree char *event = frame_event (kind, json);

  for (GList *link = streams->list; link != NULL; link = link->next) {
    Stream *stream = link->data;

    if (stream->topic != NULL || stream->ended)
      continue;
    /* Who missed an event would show what no longer holds; a reader that is cut off comes back. */
    if (stream->waiting + strlen (event) <= MAX_WAITING)
      append_text (stream, event);
    else
      end (stream);
  }
}

/* (transfer full) */
static GBytes *
frame_picture (GBytes *jpeg)
{
  GByteArray *part = g_byte_array_new ();
  gsize size;
  gconstpointer bytes = g_bytes_get_data (jpeg, &size);
  g_autofree char *head = g_strdup_printf (
      "Content-Type: image/jpeg\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n", size);

  g_byte_array_append (part, (const guint8 *)head, (guint)strlen (head));
  g_byte_array_append (part, bytes, (guint)size);
  g_byte_array_append (part, (const guint8 *)"\r\n--" BOUNDARY "\r\n", strlen (BOUNDARY) + 6);
  return g_byte_array_free_to_bytes (part);
}

void
watch_streams_show (WatchStreams *streams, gconstpointer topic, GBytes *jpeg)
{
  g_autoptr (GBytes) part = frame_picture (jpeg);

  for (GList *link = streams->list; link != NULL; link = link->next) {
    Stream *stream = link->data;

    if (stream->topic != topic || stream->ended || stream->waiting > 0)
      continue;
    append (stream, part);
    g_clear_pointer (&stream->part, g_bytes_unref);
    stream->part = g_bytes_ref (part);
  }
}
