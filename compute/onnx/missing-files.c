/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files beside a model that its tensors name and that are not there. */
#include <string.h>

#include "onnx/onnx-private.h"

/* So many files are named in one message; longer names are cut. */
#define MAX_NAMED 50
#define MAX_NAME 200

typedef struct {
  const char *location;
  guint n; /* tensors that lie there */
} Missing;

typedef struct {
  EnsOnnxFiles *files;
  GArray *missing;  /* Missing */
  GHashTable *rows; /* location → the row's number, from 1 on; 0: it is there */
} Search;

static void
count_tensor (Search *search, const Onnx__TensorProto *proto)
{
  const char *location = ens_onnx_tensor_location (proto);
  Missing missing = {location, 1};
  gpointer row;

  if (location == NULL)
    return;
  if (g_hash_table_lookup_extended (search->rows, location, NULL, &row)) {
    if (row != NULL)
      g_array_index (search->missing, Missing, GPOINTER_TO_UINT (row) - 1).n++;
    return;
  }
  row = NULL;
  if (ens_onnx_files_is_missing (search->files, location)) {
    g_array_append_val (search->missing, missing);
    row = GUINT_TO_POINTER (search->missing->len);
  }
  g_hash_table_insert (search->rows, (gpointer)location, row);
}

static void count_graph (Search *search, const Onnx__GraphProto *graph);

static void
count_node (Search *search, const Onnx__NodeProto *node)
{
  for (gsize i = 0; i < node->n_attribute; i++) {
    if (node->attribute[i]->t != NULL)
      count_tensor (search, node->attribute[i]->t);
    if (node->attribute[i]->g != NULL)
      count_graph (search, node->attribute[i]->g);
  }
}

static void
count_graph (Search *search, const Onnx__GraphProto *graph)
{
  for (gsize i = 0; i < graph->n_initializer; i++)
    count_tensor (search, graph->initializer[i]);
  for (gsize i = 0; i < graph->n_node; i++)
    count_node (search, graph->node[i]);
}

static void
describe (GString *text, const Missing *missing)
{
  g_autofree char *name = g_utf8_substring (missing->location, 0,
                                            MIN (g_utf8_strlen (missing->location, -1), MAX_NAME));

  g_string_append_printf (text, "“%s” (%u tensor%s)", name, missing->n, missing->n > 1 ? "s" : "");
}

static char *
describe_all (const GArray *missing)
{
  GString *text = g_string_new (NULL);

  if (missing->len == 1)
    g_string_append (text, "put the missing file beside the model, it belongs to it: ");
  else
    g_string_append_printf (
        text, "put the %u missing files beside the model, they belong to it: ", missing->len);
  for (guint i = 0; i < MIN (missing->len, MAX_NAMED); i++) {
    g_string_append (text, i > 0 ? ", " : "");
    describe (text, &g_array_index (missing, Missing, i));
  }
  if (missing->len > MAX_NAMED)
    g_string_append_printf (text, " and %u more", missing->len - MAX_NAMED);
  return g_string_free (text, FALSE);
}

char *
ens_onnx_describe_missing_files (EnsOnnxFiles *files, const Onnx__ModelProto *model)
{
  Search search = {.files = files,
                   .missing = g_array_new (FALSE, FALSE, sizeof (Missing)),
                   .rows = g_hash_table_new (g_str_hash, g_str_equal)};
  char *text;

  if (model != NULL && model->graph != NULL)
    count_graph (&search, model->graph);
  text = search.missing->len > 0 ? describe_all (search.missing)
                                 : g_strdup ("put that file beside the model, it belongs to it");
  g_array_unref (search.missing);
  g_hash_table_unref (search.rows);
  return text;
}
