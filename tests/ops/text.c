/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text.h"

#include "check-main.h"
#include "ops/operands.h"

#include <stdlib.h>
#include <string.h>

static gboolean
read_type (const char *word, EnsType *type)
{
  for (guint i = 0; i < ENS_N_TYPES; i++)
    if (strcmp (word, ens_type_name (i)) == 0) {
      *type = i;
      return TRUE;
    }
  return FALSE;
}

static EnsShape
read_shape (const char *word)
{
  g_auto (GStrv) dims = g_strsplit (word, "x", -1);
  EnsShape shape = {0};

  if (strcmp (word, "scalar") == 0)
    return shape;
  shape.rank = g_strv_length (dims);
  g_assert_cmpuint (shape.rank, >, 0);
  g_assert_cmpuint (shape.rank, <=, ENS_MAX_RANK);
  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = g_ascii_strtoll (dims[i], NULL, 10);
  return shape;
}

static void
set_value (const EnsView *view, gsize i, const char *word)
{
  char *end;

  if (ens_type_is_real (view->type))
    ens_view_set_real (view, i, g_ascii_strtod (word, &end));
  else
    ens_view_set_integer (view, i, g_ascii_strtoll (word, &end, 10));
  if (*end != '\0')
    ck_abort_msg ("“%s” is not a number", word);
}

static void
fill_random (const EnsView *view, const char *range, GRand *random)
{
  gboolean real = ens_type_is_real (view->type);
  double low = view->type == ENS_TYPE_BOOL || view->type == ENS_TYPE_UINT8 ? 0 : real ? -1 : -9;
  double high = view->type == ENS_TYPE_BOOL ? 1 : real ? 1 : 9;
  gsize n = ens_view_elements (view);

  if (range != NULL) {
    g_auto (GStrv) bounds = g_strsplit (range, "..", 2);

    low = g_ascii_strtod (bounds[0], NULL);
    high = g_ascii_strtod (bounds[1], NULL);
  }
  for (gsize i = 0; i < n; i++)
    if (real)
      ens_view_set_real (view, i, g_rand_double_range (random, low, high));
    else
      ens_view_set_integer (view, i, g_rand_int_range (random, (gint32)low, (gint32)high + 1));
}

static GStrv
split_words (const char *text)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) words = g_strsplit_set (text, " ,\n", -1);

  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      g_strv_builder_add (builder, words[i]);
  return g_strv_builder_end (builder);
}

static TestTensor
read_tensor (const char *text, GRand *random)
{
  g_auto (GStrv) words = split_words (text);
  TestTensor tensor = {0};
  EnsType type = ENS_TYPE_FLOAT32;
  EnsView view;
  EnsShape shape;
  guint i = 0, n;

  g_assert_nonnull (words[0]);
  if (strcmp (words[0], "-") == 0)
    return (TestTensor) {.absent = TRUE};
  tensor.constant = strcmp (words[i], "const") == 0;
  i += tensor.constant;
  i += read_type (words[i], &type);
  shape = read_shape (words[i++]);
  tensor.tensor = ens_tensor_new (type, &shape);
  view = ens_view_dense (type, &shape, tensor.tensor->data);
  tensor.has_values = words[i] != NULL && strcmp (words[i], "=") == 0;
  if (!tensor.has_values) {
    fill_random (&view, words[i] != NULL && strcmp (words[i], "in") == 0 ? words[i + 1] : NULL,
                 random);
    return tensor;
  }
  n = g_strv_length (words) - ++i;
  if (n != ens_view_elements (&view))
    ck_abort_msg ("“%s” has %u values", text, n);
  for (guint k = 0; k < n; k++)
    set_value (&view, k, words[i + k]);
  return tensor;
}

static void
clear_tensor (gpointer data)
{
  TestTensor *tensor = data;

  g_clear_pointer (&tensor->tensor, ens_tensor_unref);
}

GArray *
test_read_tensors (const char *text, GRand *random)
{
  g_auto (GStrv) parts = g_strsplit (text, ";", -1);
  GArray *tensors = g_array_new (FALSE, TRUE, sizeof (TestTensor));

  g_array_set_clear_func (tensors, clear_tensor);
  for (guint i = 0; parts[i] != NULL; i++) {
    TestTensor tensor = read_tensor (parts[i], random);

    g_array_append_val (tensors, tensor);
  }
  return tensors;
}

static void
read_list (EnsAttributes *attributes, const char *name, const char *list)
{
  g_auto (GStrv) words = split_words (list);
  guint n = g_strv_length (words);
  g_autofree gint64 *integers = g_new0 (gint64, n + 1);
  g_autofree float *reals = g_new0 (float, n + 1);

  for (guint i = 0; i < n; i++) {
    integers[i] = g_ascii_strtoll (words[i], NULL, 10);
    reals[i] = (float)g_ascii_strtod (words[i], NULL);
  }
  if (strchr (list, '.') != NULL)
    ens_attributes_set_floats (attributes, name, reals, n);
  else
    ens_attributes_set_ints (attributes, name, integers, n);
}

static void
read_attribute (EnsAttributes *attributes, const char *name, const char *value)
{
  g_autofree char *inner = NULL;

  if (strchr ("[\"<", *value) != NULL)
    inner = g_strndup (value + 1, strlen (value) - 2);
  if (*value == '[') {
    read_list (attributes, name, inner);
  } else if (*value == '"') {
    ens_attributes_set_string (attributes, name, inner);
  } else if (*value == '<') {
    TestTensor tensor = read_tensor (inner, NULL);

    ens_attributes_set_tensor (attributes, name, tensor.tensor);
    clear_tensor (&tensor);
  } else if (strchr (value, '.') != NULL) {
    ens_attributes_set_float (attributes, name, (float)g_ascii_strtod (value, NULL));
  } else {
    ens_attributes_set_int (attributes, name, g_ascii_strtoll (value, NULL, 10));
  }
}

EnsAttributes *
test_read_attributes (const char *text)
{
  g_autoptr (GRegex) regex =
      g_regex_new ("(\\w+)=(\\[[^]]*\\]|\"[^\"]*\"|<[^>]*>|[^ ]+)", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  EnsAttributes *attributes = ens_attributes_new ();

  for (g_regex_match (regex, text != NULL ? text : "", 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL)) {
    g_autofree char *name = g_match_info_fetch (match, 1);
    g_autofree char *value = g_match_info_fetch (match, 2);

    read_attribute (attributes, name, value);
  }
  return attributes;
}
