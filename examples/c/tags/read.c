/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <json-glib/json-glib.h>
#include <string.h>

#include "tags.h"

#define SCHEMA "gst-ensemble/result/1"
#define EVENTS "gst-ensemble/event/1"

static void
tag_clear (gpointer tag)
{
  g_free (((Tag *)tag)->name);
}

static void
tagged_frame_free (gpointer data)
{
  TaggedFrame *frame = data;

  g_array_unref (frame->tags);
  g_free (frame);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Tag *)a)->name, ((const Tag *)b)->name);
}

static TagWindow
read_window (JsonArray *windows, gint64 index)
{
  JsonObject *window = json_array_get_object_element (windows, (guint)index);

  return (TagWindow) {json_object_get_double_member (window, "x"),
                      json_object_get_double_member (window, "y"),
                      json_object_get_double_member (window, "width"),
                      json_object_get_double_member (window, "height")};
}

static Tag
read_tag (JsonObject *class, JsonArray *windows)
{
  gint64 window = json_object_get_int_member_with_default (class, "window", -1);
  Tag tag = {.name = g_strdup (json_object_get_string_member (class, "name")),
             .p = json_object_get_double_member (class, "p"),
             .threshold = json_object_get_double_member_with_default (class, "threshold", 0.5),
             .present = json_object_get_boolean_member (class, "present")};

  if (windows && window >= 0 && window < json_array_get_length (windows)) {
    tag.has_window = TRUE;
    tag.window = read_window (windows, window);
  }
  return tag;
}

static TaggedFrame *
read_frame (JsonObject *result)
{
  TaggedFrame *frame = g_new0 (TaggedFrame, 1);
  JsonArray *classes = json_object_get_array_member (result, "classes"), *windows = NULL;

  frame->seconds = json_object_get_int_member_with_default (result, "pts", 0) / 1e9;
  frame->tags = g_array_new (FALSE, FALSE, sizeof (Tag));
  g_array_set_clear_func (frame->tags, tag_clear);
  if (json_object_has_member (result, "windows"))
    windows = json_object_get_array_member (result, "windows");
  for (guint i = 0; i < json_array_get_length (classes); i++) {
    Tag tag = read_tag (json_array_get_object_element (classes, i), windows);

    g_array_append_val (frame->tags, tag);
  }
  g_array_sort (frame->tags, compare_names);
  return frame;
}

static gboolean
has_schema (JsonNode *root, const char *schema)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;

  return object
         && g_strcmp0 (json_object_get_string_member_with_default (object, "schema", NULL), schema)
                == 0;
}

/* frame: NULL for an event, which results tell as well. */
static gboolean
read_line (const char *line, TaggedFrame **frame, GError **error)
{
  g_autoptr (JsonNode) root = json_from_string (line, error);

  *frame = NULL;
  if (!root)
    return FALSE;
  if (has_schema (root, EVENTS))
    return TRUE;
  if (has_schema (root, SCHEMA)
      && json_object_has_member (json_node_get_object (root), "classes")) {
    *frame = read_frame (json_node_get_object (root));
    return TRUE;
  }
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "expected a result of schema %s", SCHEMA);
  return FALSE;
}

GPtrArray *
tags_read (const char *path, GError **error)
{
  g_autoptr (GPtrArray) frames = g_ptr_array_new_with_free_func (tagged_frame_free);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  lines = g_strsplit (g_strchomp (text), "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    TaggedFrame *frame, *first;

    if (!read_line (lines[i], &frame, error)) {
      g_prefix_error (error, "%s:%u: ", path, i + 1);
      return NULL;
    }
    if (!frame)
      continue;
    g_ptr_array_add (frames, frame);
    first = g_ptr_array_index (frames, 0);
    if (frame->tags->len != first->tags->len) {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                   "%s:%u: expected %u classes as in the first result, got %u", path, i + 1,
                   first->tags->len, frame->tags->len);
      return NULL;
    }
  }
  return g_steal_pointer (&frames);
}
