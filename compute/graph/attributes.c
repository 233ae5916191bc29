/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/attributes.h"

#include <string.h>

/* Tensors of more elements than this are printed by type and shape alone. */
#define MAX_PRINTED_ELEMENTS 8

typedef struct {
  EnsAttributeValue attribute;
  gboolean read;
} Entry;

struct _EnsAttributes {
  GTree *entries; /* name → Entry, in alphabetical order */
  GTree *known;   /* names that were asked for, in alphabetical order */
  char *fault;    /* what the first unfitting read met, or NULL */
};

static const char *const kind_names[] = {
    [ENS_ATTRIBUTE_VALUE_INT] = "an int",
    [ENS_ATTRIBUTE_VALUE_FLOAT] = "a float",
    [ENS_ATTRIBUTE_VALUE_STRING] = "a string",
    [ENS_ATTRIBUTE_VALUE_STRINGS] = "a list of strings",
    [ENS_ATTRIBUTE_VALUE_INTS] = "a list of ints",
    [ENS_ATTRIBUTE_VALUE_FLOATS] = "a list of floats",
    [ENS_ATTRIBUTE_VALUE_TENSOR] = "a tensor",
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  switch (entry->attribute.kind) {
  case ENS_ATTRIBUTE_VALUE_STRING:
  case ENS_ATTRIBUTE_VALUE_STRINGS:
    g_free (entry->attribute.string);
    break;
  case ENS_ATTRIBUTE_VALUE_INTS:
    g_free (entry->attribute.integers);
    break;
  case ENS_ATTRIBUTE_VALUE_FLOATS:
    g_free (entry->attribute.reals);
    break;
  case ENS_ATTRIBUTE_VALUE_TENSOR:
    ens_tensor_unref (entry->attribute.tensor);
    break;
  case ENS_ATTRIBUTE_VALUE_INT:
  case ENS_ATTRIBUTE_VALUE_FLOAT:
    break;
  }
  g_free (entry);
}

static int
compare_names (gconstpointer a, gconstpointer b, gpointer data)
{
  return strcmp (a, b);
}

EnsAttributes *
ens_attributes_new (void)
{
  EnsAttributes *attributes = g_new0 (EnsAttributes, 1);

  attributes->entries = g_tree_new_full (compare_names, NULL, g_free, entry_free);
  attributes->known = g_tree_new_full (compare_names, NULL, g_free, NULL);
  return attributes;
}

void
ens_attributes_free (EnsAttributes *attributes)
{
  g_tree_unref (attributes->entries);
  g_tree_unref (attributes->known);
  g_free (attributes->fault);
  g_free (attributes);
}

static void
set (EnsAttributes *attributes, const char *name, const EnsAttributeValue *attribute)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->attribute = *attribute;
  g_tree_replace (attributes->entries, g_strdup (name), entry);
}

void
ens_attributes_set_int (EnsAttributes *attributes, const char *name, gint64 value)
{
  set (attributes, name, &(EnsAttributeValue) {.kind = ENS_ATTRIBUTE_VALUE_INT, .integer = value});
}

void
ens_attributes_set_float (EnsAttributes *attributes, const char *name, float value)
{
  set (attributes, name, &(EnsAttributeValue) {.kind = ENS_ATTRIBUTE_VALUE_FLOAT, .real = value});
}

void
ens_attributes_set_string (EnsAttributes *attributes, const char *name, const char *value)
{
  set (attributes, name,
       &(EnsAttributeValue) {.kind = ENS_ATTRIBUTE_VALUE_STRING, .string = g_strdup (value)});
}

void
ens_attributes_set_strings (EnsAttributes *attributes, const char *name, const char *value)
{
  set (attributes, name,
       &(EnsAttributeValue) {.kind = ENS_ATTRIBUTE_VALUE_STRINGS, .string = g_strdup (value)});
}

void
ens_attributes_set_ints (EnsAttributes *attributes, const char *name, const gint64 *values,
                         guint n_values)
{
  set (attributes, name,
       &(EnsAttributeValue) {.kind = ENS_ATTRIBUTE_VALUE_INTS,
                             .n_values = n_values,
                             .integers = g_memdup2 (values, n_values * sizeof *values)});
}

void
ens_attributes_set_floats (EnsAttributes *attributes, const char *name, const float *values,
                           guint n_values)
{
  set (attributes, name,
       &(EnsAttributeValue) {.kind = ENS_ATTRIBUTE_VALUE_FLOATS,
                             .n_values = n_values,
                             .reals = g_memdup2 (values, n_values * sizeof *values)});
}

void
ens_attributes_set_tensor (EnsAttributes *attributes, const char *name, EnsTensor *tensor)
{
  set (
      attributes, name,
      &(EnsAttributeValue) {.kind = ENS_ATTRIBUTE_VALUE_TENSOR, .tensor = ens_tensor_ref (tensor)});
}

gboolean
ens_attributes_has (const EnsAttributes *attributes, const char *name)
{
  return g_tree_lookup (attributes->entries, name) != NULL;
}

/* The attribute of that name, marked as read, or NULL. */
static Entry *
ask_for (EnsAttributes *attributes, const char *name)
{
  Entry *entry = g_tree_lookup (attributes->entries, name);

  if (g_tree_lookup_node (attributes->known, name) == NULL)
    g_tree_insert (attributes->known, g_strdup (name), NULL);
  if (entry != NULL)
    entry->read = TRUE;
  return entry;
}

/* The same; NULL if it is of another kind. */
static const EnsAttributeValue *
get (EnsAttributes *attributes, const char *name, EnsAttributeValueKind kind)
{
  Entry *entry = ask_for (attributes, name);

  if (entry == NULL)
    return NULL;
  if (entry->attribute.kind == kind)
    return &entry->attribute;
  if (attributes->fault == NULL)
    attributes->fault = g_strdup_printf ("attribute “%s” is %s, expected %s", name,
                                         kind_names[entry->attribute.kind], kind_names[kind]);
  return NULL;
}

gint64
ens_attributes_int (EnsAttributes *attributes, const char *name, gint64 absent)
{
  const EnsAttributeValue *attribute = get (attributes, name, ENS_ATTRIBUTE_VALUE_INT);

  return attribute != NULL ? attribute->integer : absent;
}

float
ens_attributes_float (EnsAttributes *attributes, const char *name, float absent)
{
  const EnsAttributeValue *attribute = get (attributes, name, ENS_ATTRIBUTE_VALUE_FLOAT);

  return attribute != NULL ? attribute->real : absent;
}

const char *
ens_attributes_string (EnsAttributes *attributes, const char *name, const char *absent)
{
  const EnsAttributeValue *attribute = get (attributes, name, ENS_ATTRIBUTE_VALUE_STRING);

  return attribute != NULL ? attribute->string : absent;
}

const char *
ens_attributes_strings (EnsAttributes *attributes, const char *name, const char *absent)
{
  Entry *entry = g_tree_lookup (attributes->entries, name);
  const EnsAttributeValue *attribute;

  if (entry != NULL && entry->attribute.kind == ENS_ATTRIBUTE_VALUE_STRING)
    return ens_attributes_string (attributes, name, absent);
  attribute = get (attributes, name, ENS_ATTRIBUTE_VALUE_STRINGS);
  return attribute != NULL ? attribute->string : absent;
}

/* A list that may hold at most `max` values; NULL if it is absent or does not fit. */
static const EnsAttributeValue *
get_list (EnsAttributes *attributes, const char *name, EnsAttributeValueKind kind, guint max)
{
  const EnsAttributeValue *attribute = get (attributes, name, kind);

  if (attribute == NULL || attribute->n_values <= max)
    return attribute;
  if (attributes->fault == NULL)
    attributes->fault = g_strdup_printf ("attribute “%s” has %u values, expected at most %u", name,
                                         attribute->n_values, max);
  return NULL;
}

guint
ens_attributes_ints (EnsAttributes *attributes, const char *name, gint64 *values, guint max)
{
  const EnsAttributeValue *attribute = get_list (attributes, name, ENS_ATTRIBUTE_VALUE_INTS, max);

  if (attribute == NULL)
    return 0;
  for (guint i = 0; i < attribute->n_values; i++)
    values[i] = attribute->integers[i];
  return attribute->n_values;
}

guint
ens_attributes_floats (EnsAttributes *attributes, const char *name, float *values, guint max)
{
  const EnsAttributeValue *attribute = get_list (attributes, name, ENS_ATTRIBUTE_VALUE_FLOATS, max);

  if (attribute == NULL)
    return 0;
  for (guint i = 0; i < attribute->n_values; i++)
    values[i] = attribute->reals[i];
  return attribute->n_values;
}

EnsTensor *
ens_attributes_tensor (EnsAttributes *attributes, const char *name)
{
  const EnsAttributeValue *attribute = get (attributes, name, ENS_ATTRIBUTE_VALUE_TENSOR);

  return attribute != NULL ? attribute->tensor : NULL;
}

void
ens_attributes_ignore (EnsAttributes *attributes, const char *name)
{
  ask_for (attributes, name);
}

static gboolean
append_name (gpointer name, gpointer value, gpointer text)
{
  g_string_append_printf (text, "%s%s", ((GString *)text)->len > 0 ? ", " : "", (char *)name);
  return FALSE;
}

static gboolean
find_unread (gpointer name, gpointer entry, gpointer unread)
{
  if (((Entry *)entry)->read)
    return FALSE;
  *(const char **)unread = name;
  return TRUE;
}

gboolean
ens_attributes_finish (EnsAttributes *attributes, const char *node, GError **error)
{
  const char *unread = NULL;

  if (attributes->fault != NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: %s", node, attributes->fault);
    return FALSE;
  }
  g_tree_foreach (attributes->entries, find_unread, &unread);
  if (unread != NULL) {
    g_autoptr (GString) known = g_string_new (NULL);

    g_tree_foreach (attributes->known, append_name, known);
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s: unknown attribute “%s”, known are %s", node, unread,
                 known->len > 0 ? known->str : "none");
    return FALSE;
  }
  return TRUE;
}

static void
print_int (GString *text, gint64 value)
{
  g_string_append_printf (text, "%" G_GINT64_FORMAT, value);
}

static void
print_float (GString *text, double value, const char *format)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (text, g_ascii_formatd (buffer, sizeof buffer, format, value));
}

static void
print_element (GString *text, const EnsTensor *tensor, gint64 i)
{
  switch (tensor->type) {
  case ENS_TYPE_FLOAT32:
    print_float (text, ((const float *)tensor->data)[i], "%.9g");
    break;
  case ENS_TYPE_FLOAT64:
    print_float (text, ((const double *)tensor->data)[i], "%.17g");
    break;
  case ENS_TYPE_FLOAT16:
    g_string_append_printf (text, "0x%04x", ((const guint16 *)tensor->data)[i]);
    break;
  case ENS_TYPE_INT64:
    print_int (text, ((const gint64 *)tensor->data)[i]);
    break;
  case ENS_TYPE_INT32:
    print_int (text, ((const gint32 *)tensor->data)[i]);
    break;
  case ENS_TYPE_INT8:
    print_int (text, ((const gint8 *)tensor->data)[i]);
    break;
  case ENS_TYPE_UINT8:
  case ENS_TYPE_BOOL:
    print_int (text, ((const guint8 *)tensor->data)[i]);
    break;
  case ENS_N_TYPES:
    g_assert_not_reached ();
  }
}

static void
print_tensor (GString *text, const EnsTensor *tensor)
{
  g_autofree char *shape = ens_shape_to_string (&tensor->shape);
  gint64 n = ens_shape_elements (&tensor->shape);

  g_string_append_printf (text, "<%s %s", ens_type_name (tensor->type), shape);
  if (n <= MAX_PRINTED_ELEMENTS) {
    g_string_append (text, ":");
    for (gint64 i = 0; i < n; i++) {
      g_string_append_c (text, ' ');
      print_element (text, tensor, i);
    }
  }
  g_string_append_c (text, '>');
}

static void
print_list (GString *text, const EnsAttributeValue *attribute)
{
  g_string_append_c (text, '[');
  for (guint i = 0; i < attribute->n_values; i++) {
    if (i > 0)
      g_string_append (text, ", ");
    if (attribute->kind == ENS_ATTRIBUTE_VALUE_INTS)
      print_int (text, attribute->integers[i]);
    else
      print_float (text, attribute->reals[i], "%.9g");
  }
  g_string_append_c (text, ']');
}

static void
print_attribute (const char *name, const EnsAttributeValue *attribute, gpointer data)
{
  GString *text = data;
  g_autofree char *escaped = NULL;

  if (text->len > 0)
    g_string_append_c (text, ' ');
  g_string_append_printf (text, "%s=", name);
  switch (attribute->kind) {
  case ENS_ATTRIBUTE_VALUE_INT:
    print_int (text, attribute->integer);
    break;
  case ENS_ATTRIBUTE_VALUE_FLOAT:
    print_float (text, attribute->real, "%.9g");
    break;
  case ENS_ATTRIBUTE_VALUE_STRING:
  case ENS_ATTRIBUTE_VALUE_STRINGS:
    escaped = g_strescape (attribute->string, NULL);
    g_string_append_printf (text, "\"%s\"", escaped);
    break;
  case ENS_ATTRIBUTE_VALUE_INTS:
  case ENS_ATTRIBUTE_VALUE_FLOATS:
    print_list (text, attribute);
    break;
  case ENS_ATTRIBUTE_VALUE_TENSOR:
    print_tensor (text, attribute->tensor);
    break;
  }
}

char *
ens_attributes_to_string (const EnsAttributes *attributes)
{
  GString *text = g_string_new (NULL);

  ens_attributes_foreach (attributes, print_attribute, text);
  return g_string_free (text, FALSE);
}

typedef struct {
  EnsAttributeFunc func;
  gpointer data;
} Visitor;

static gboolean
visit (gpointer name, gpointer entry, gpointer data)
{
  Visitor *visitor = data;

  visitor->func (name, &((Entry *)entry)->attribute, visitor->data);
  return FALSE;
}

void
ens_attributes_foreach (const EnsAttributes *attributes, EnsAttributeFunc func, gpointer data)
{
  g_tree_foreach (attributes->entries, visit, &(Visitor) {func, data});
}
