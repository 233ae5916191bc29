/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json-reader.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "base/json-scan.h"

#define MAX_SIZE (16 << 20)
/* Each takes some two hundred bytes once parsed. */
#define MAX_VALUES 1000000

/* Where the reader stands; node is NULL after an error. */
typedef struct {
  JsonNode *node;
  char *place;       /* such as "networks[1]"; empty for the outermost object */
  GHashTable *asked; /* an object's members that were asked for */
} Level;

struct _EnsJsonReader {
  char *path;
  JsonParser *parser;
  GArray *levels; /* Level */
  GError *error;
};

static void
clear_level (gpointer data)
{
  Level *level = data;

  g_free (level->place);
  g_hash_table_unref (level->asked);
}

static Level *
get_level (EnsJsonReader *reader)
{
  return &g_array_index (reader->levels, Level, reader->levels->len - 1);
}

static void
push (EnsJsonReader *reader, JsonNode *node, char *place)
{
  Level level = {node, place, g_hash_table_new (g_str_hash, g_str_equal)};

  g_array_append_val (reader->levels, level);
}

/* ---- Errors ---- */

gboolean
ens_json_reader_failed (const EnsJsonReader *reader)
{
  return reader->error != NULL;
}

/* (transfer full) */
static char *
make_place (EnsJsonReader *reader, const char *name)
{
  const char *outside = get_level (reader)->place;

  return g_strconcat (outside, *outside != 0 && name != NULL ? "." : "", name, NULL);
}

void
ens_json_reader_fail (EnsJsonReader *reader, const char *name, const char *format, ...)
{
  g_autofree char *place = make_place (reader, name);
  g_autofree char *text = NULL;
  va_list arguments;

  if (reader->error != NULL)
    return;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (&reader->error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: %s%s%s", reader->path, place,
               *place != 0 ? ": " : "", text);
}

/* What stands at a node, for messages. (transfer full) */
static char *
describe (JsonNode *node)
{
  char *text;

  if (node == NULL)
    return g_strdup ("nothing");
  if (JSON_NODE_HOLDS_OBJECT (node))
    return g_strdup ("an object");
  if (JSON_NODE_HOLDS_ARRAY (node))
    return g_strdup_printf ("an array of %u", json_array_get_length (json_node_get_array (node)));
  text = json_to_string (node, FALSE);
  if (strlen (text) > 60) {
    char *end = g_utf8_find_prev_char (text, text + 58);

    memcpy (end, "…", sizeof "…");
  }
  return text;
}

static void
fail_expecting (EnsJsonReader *reader, const char *name, const char *expected, JsonNode *found)
{
  g_autofree char *description = describe (found);

  ens_json_reader_fail (reader, name, "expected %s, found %s", expected, description);
}

/* ---- Opening ---- */

static char *
read_file (const char *path, gsize *size, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GMappedFile) file = ens_file_map (path, &reason);
  char *text;

  if (file == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't read it: %s", path, reason->message);
    return NULL;
  }
  *size = g_mapped_file_get_length (file);
  if (*size > MAX_SIZE) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected at most %d bytes, found %" G_GSIZE_FORMAT, path, MAX_SIZE, *size);
    return NULL;
  }
  text = g_malloc (*size + 1);
  if (*size > 0)
    memcpy (text, g_mapped_file_get_contents (file), *size);
  text[*size] = 0;
  return text;
}

/* All but the last value of an array or object stand before a comma; others are in strings. */
static gsize
count_values (const char *text, gsize size)
{
  gsize n = 1;

  for (gsize i = 0; i < size; i++)
    n += text[i] == ',';
  return n;
}

/* json-glib takes several values in a row for one text, and brackets without end. */
static gboolean
check_text (const EnsJsonReader *reader, const char *text, gsize size, GError **error)
{
  EnsJsonScan scan;

  if (count_values (text, size) > MAX_VALUES) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected at most %d values, found %" G_GSIZE_FORMAT, reader->path, MAX_VALUES,
                 count_values (text, size));
    return FALSE;
  }
  ens_json_scan_init (&scan, reader->path, text, size);
  ens_json_scan_skip (&scan);
  return ens_json_scan_finish (&scan, error);
}

/* "\\u0000", which would end a string, stands somewhere. */
static gboolean
has_zero (const char *text)
{
  for (const char *found = strstr (text, "\\u0000"); found != NULL;
       found = strstr (found + 1, "\\u0000")) {
    const char *start = found;

    while (start > text && start[-1] == '\\')
      start--;
    if ((found - start) % 2 == 0)
      return TRUE;
  }
  return FALSE;
}

/* Members of objects that are being parsed: json-glib takes the last of several of one name. */
typedef struct {
  EnsJsonReader *reader;
  GHashTable *counts; /* JsonObject → members so far */
} Members;

static void
count_member (JsonParser *parser, JsonObject *object, const char *name, gpointer data)
{
  Members *members = data;
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (members->counts, object)) + 1;

  if (n != json_object_get_size (object))
    ens_json_reader_fail (members->reader, NULL, "found the member “%s” twice", name);
  g_hash_table_insert (members->counts, object, GUINT_TO_POINTER (n));
}

static void
forget_object (JsonParser *parser, JsonObject *object, gpointer data)
{
  g_hash_table_remove (((Members *)data)->counts, object);
}

static void
load (EnsJsonReader *reader, const char *text, gsize size)
{
  g_autoptr (GHashTable) counts = g_hash_table_new (NULL, NULL);
  g_autoptr (GError) reason = NULL;
  Members members = {reader, counts};

  g_signal_connect (reader->parser, "object-member", G_CALLBACK (count_member), &members);
  g_signal_connect (reader->parser, "object-end", G_CALLBACK (forget_object), &members);
  if (!json_parser_load_from_data (reader->parser, text, (gssize)size, &reason))
    ens_json_reader_fail (reader, NULL, "not JSON: %s", reason->message);
  g_signal_handlers_disconnect_by_data (reader->parser, &members);
}

static gboolean
parse (EnsJsonReader *reader, const char *text, gsize size, GError **error)
{
  if (!check_text (reader, text, size, error))
    return FALSE;
  if (has_zero (text))
    ens_json_reader_fail (reader, NULL, "expected texts without zeroes, found “\\u0000”");
  else
    load (reader, text, size);
  if (reader->error == NULL && !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (reader->parser)))
    fail_expecting (reader, NULL, "an object", json_parser_get_root (reader->parser));
  if (reader->error == NULL)
    get_level (reader)->node = json_parser_get_root (reader->parser);
  else
    g_propagate_error (error, g_steal_pointer (&reader->error));
  return get_level (reader)->node != NULL;
}

EnsJsonReader *
ens_json_reader_open (const char *path, GError **error)
{
  gsize size;
  g_autofree char *text = read_file (path, &size, error);

  return text != NULL ? ens_json_reader_parse (path, text, size, error) : NULL;
}

EnsJsonReader *
ens_json_reader_parse (const char *place, const char *text, gsize size, GError **error)
{
  g_autoptr (EnsJsonReader) reader = g_new0 (EnsJsonReader, 1);

  reader->path = g_strdup (place);
  reader->parser = json_parser_new_immutable ();
  reader->levels = g_array_new (FALSE, FALSE, sizeof (Level));
  g_array_set_clear_func (reader->levels, clear_level);
  push (reader, NULL, g_strdup (""));
  return parse (reader, text, size, error) ? g_steal_pointer (&reader) : NULL;
}

void
ens_json_reader_free (EnsJsonReader *reader)
{
  if (reader == NULL)
    return;
  g_array_unref (reader->levels);
  g_object_unref (reader->parser);
  g_clear_error (&reader->error);
  g_free (reader->path);
  g_free (reader);
}

/* ---- Moving ---- */

static void
check_members (EnsJsonReader *reader)
{
  const Level *level = get_level (reader);
  g_autoptr (GList) members = NULL;

  if (level->node == NULL || !JSON_NODE_HOLDS_OBJECT (level->node))
    return;
  members = json_object_get_members (json_node_get_object (level->node));
  for (GList *link = members; link != NULL; link = link->next)
    if (!g_hash_table_contains (level->asked, link->data))
      ens_json_reader_fail (reader, link->data, "unknown member");
}

gboolean
ens_json_reader_finish (EnsJsonReader *reader, GError **error)
{
  g_return_val_if_fail (reader->levels->len == 1, FALSE);
  check_members (reader);
  if (reader->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&reader->error));
  return FALSE;
}

/* NULL if there is no such member. */
static JsonNode *
find_member (EnsJsonReader *reader, const char *name)
{
  Level *level = get_level (reader);

  if (reader->error != NULL || level->node == NULL || !JSON_NODE_HOLDS_OBJECT (level->node))
    return NULL;
  g_hash_table_add (level->asked, (gpointer)name);
  return json_object_get_member (json_node_get_object (level->node), name);
}

gboolean
ens_json_reader_has (EnsJsonReader *reader, const char *name)
{
  return find_member (reader, name) != NULL;
}

void
ens_json_reader_enter_object (EnsJsonReader *reader, const char *name)
{
  JsonNode *node = find_member (reader, name);

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node)) {
    fail_expecting (reader, name, "an object", node);
    node = NULL;
  }
  push (reader, node, make_place (reader, name));
}

/* The member as an array, or NULL after an error. */
static JsonArray *
find_array (EnsJsonReader *reader, const char *name)
{
  JsonNode *node = find_member (reader, name);

  if (node != NULL && JSON_NODE_HOLDS_ARRAY (node))
    return json_node_get_array (node);
  fail_expecting (reader, name, "an array", node);
  return NULL;
}

guint
ens_json_reader_enter_array (EnsJsonReader *reader, const char *name)
{
  JsonArray *array = find_array (reader, name);

  push (reader, array != NULL ? find_member (reader, name) : NULL, make_place (reader, name));
  return array != NULL ? json_array_get_length (array) : 0;
}

void
ens_json_reader_enter_element (EnsJsonReader *reader, guint i)
{
  Level *level = get_level (reader);
  g_autofree char *place = g_strdup_printf ("%s[%u]", level->place, i);
  JsonNode *node = NULL;

  if (level->node != NULL)
    node = json_array_get_element (json_node_get_array (level->node), i);
  push (reader, node, g_steal_pointer (&place));
  if (node != NULL && !JSON_NODE_HOLDS_OBJECT (node)) {
    fail_expecting (reader, NULL, "an object", node);
    get_level (reader)->node = NULL;
  }
}

void
ens_json_reader_leave (EnsJsonReader *reader)
{
  check_members (reader);
  g_array_set_size (reader->levels, reader->levels->len - 1);
}

/* ---- Values ---- */

static const char *
get_string (EnsJsonReader *reader, const char *name, JsonNode *node)
{
  const char *value = NULL;

  if (node != NULL && json_node_get_value_type (node) == G_TYPE_STRING)
    value = json_node_get_string (node);
  if (value != NULL && *value != 0 && g_utf8_validate (value, -1, NULL))
    return value;
  if (value != NULL && *value != 0)
    ens_json_reader_fail (reader, name, "expected text in UTF-8, found half of a “\\ud800” pair");
  else
    fail_expecting (reader, name, "a string that is not empty", node);
  return NULL;
}

static double
get_number (EnsJsonReader *reader, const char *name, JsonNode *node, double min, double max)
{
  GType type = node != NULL ? json_node_get_value_type (node) : G_TYPE_INVALID;
  double value = type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double (node) : NAN;
  g_autofree char *expected = NULL;

  if (value >= min && value <= max)
    return value;
  expected = g_strdup_printf ("a number from %g to %g", min, max);
  fail_expecting (reader, name, expected, node);
  return min;
}

static guint
get_integer (EnsJsonReader *reader, const char *name, JsonNode *node, guint min, guint max)
{
  g_autofree char *expected = NULL;

  if (node != NULL && json_node_get_value_type (node) == G_TYPE_INT64) {
    gint64 value = json_node_get_int (node);

    if (value >= min && value <= max)
      return (guint)value;
  }
  expected = g_strdup_printf ("a whole number from %u to %u", min, max);
  fail_expecting (reader, name, expected, node);
  return min;
}

char *
ens_json_reader_string (EnsJsonReader *reader, const char *name)
{
  return g_strdup (get_string (reader, name, find_member (reader, name)));
}

double
ens_json_reader_number (EnsJsonReader *reader, const char *name, double min, double max)
{
  return get_number (reader, name, find_member (reader, name), min, max);
}

guint
ens_json_reader_integer (EnsJsonReader *reader, const char *name, guint min, guint max)
{
  return get_integer (reader, name, find_member (reader, name), min, max);
}

gboolean
ens_json_reader_boolean (EnsJsonReader *reader, const char *name)
{
  JsonNode *node = find_member (reader, name);

  if (node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return json_node_get_boolean (node);
  fail_expecting (reader, name, "true or false", node);
  return FALSE;
}

guint
ens_json_reader_choice (EnsJsonReader *reader, const char *name, const char *const *names)
{
  JsonNode *node = find_member (reader, name);
  const char *value = get_string (reader, name, node);
  g_autofree char *known = NULL;

  for (guint i = 0; value != NULL && names[i] != NULL; i++)
    if (g_ascii_strcasecmp (value, names[i]) == 0)
      return i;
  known = g_strjoinv (" or ", (char **)names);
  fail_expecting (reader, name, known, node);
  return 0;
}

/* ---- Arrays of values ---- */

/* An array whose length is in the range, or NULL after an error. */
static JsonArray *
find_bounded_array (EnsJsonReader *reader, const char *name, guint min, guint max)
{
  JsonArray *array = find_array (reader, name);
  guint n = array != NULL ? json_array_get_length (array) : 0;

  if (array == NULL || (n >= min && n <= max))
    return array;
  if (min == max)
    ens_json_reader_fail (reader, name, "expected an array of %u, found one of %u", min, n);
  else
    ens_json_reader_fail (reader, name, "expected an array of %u to %u, found one of %u", min, max,
                          n);
  return NULL;
}

/* (transfer full) */
static char *
element_name (const char *name, guint i)
{
  return g_strdup_printf ("%s[%u]", name, i);
}

float *
ens_json_reader_numbers (EnsJsonReader *reader, const char *name, const EnsJsonRange *range,
                         guint *n)
{
  JsonArray *array = find_bounded_array (reader, name, range->min_length, range->max_length);
  g_autofree float *values = NULL;

  *n = 0;
  if (array == NULL)
    return NULL;
  values = g_new0 (float, json_array_get_length (array) + 1);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    g_autofree char *element = element_name (name, i);

    values[i] = (float)get_number (reader, element, json_array_get_element (array, i), range->min,
                                   range->max);
  }
  if (reader->error != NULL)
    return NULL;
  *n = json_array_get_length (array);
  return g_steal_pointer (&values);
}

guint *
ens_json_reader_integers (EnsJsonReader *reader, const char *name, const EnsJsonRange *range,
                          guint *n)
{
  JsonArray *array = find_bounded_array (reader, name, range->min_length, range->max_length);
  g_autofree guint *values = NULL;

  *n = 0;
  if (array == NULL)
    return NULL;
  values = g_new0 (guint, json_array_get_length (array) + 1);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    g_autofree char *element = element_name (name, i);

    values[i] = get_integer (reader, element, json_array_get_element (array, i), (guint)range->min,
                             (guint)range->max);
  }
  if (reader->error != NULL)
    return NULL;
  *n = json_array_get_length (array);
  return g_steal_pointer (&values);
}

char **
ens_json_reader_strings (EnsJsonReader *reader, const char *name, guint min_length)
{
  JsonArray *array = find_bounded_array (reader, name, min_length, G_MAXUINT);
  g_auto (GStrv) values = NULL;

  if (array == NULL)
    return NULL;
  values = g_new0 (char *, json_array_get_length (array) + 1);
  for (guint i = 0; i < json_array_get_length (array) && reader->error == NULL; i++) {
    g_autofree char *element = element_name (name, i);

    values[i] = g_strdup (get_string (reader, element, json_array_get_element (array, i)));
  }
  return reader->error == NULL ? g_steal_pointer (&values) : NULL;
}

char *
ens_json_reader_text (EnsJsonReader *reader, const char *name)
{
  JsonNode *node = find_member (reader, name);

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return json_to_string (node, FALSE);
  fail_expecting (reader, name, "an object", node);
  return NULL;
}
