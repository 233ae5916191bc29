/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/own-rows.h"

#include <string.h>

#include "onnx/onnx.h"
#include "passes/label-layer.h"
#include "passes/linear.h"
#include "passes/rewrite.h"
#include "train/preprocess.h"

void
ens_own_rows_free (EnsOwnRows *rows)
{
  if (rows == NULL)
    return;
  ens_linear_classifier_free (rows->layer);
  g_free (rows->has_class);
  g_free (rows);
}

/* ---- Labels ---- */

/* What ImageNet's labels begin with: n and eight digits. */
static const char *
skip_synset (const char *label)
{
  return g_regex_match_simple ("^n[0-9]{8}\\s", label, 0, 0) ? label + strlen ("n00000000") : label;
}

static gboolean
is_label_of (const char *label, const char *class)
{
  g_auto (GStrv) names = g_strsplit (skip_synset (label), ",", -1);
  g_autofree char *wanted = g_utf8_casefold (class, -1);
  gboolean found = FALSE;

  for (char **name = names; *name != NULL && !found; name++) {
    g_autofree char *folded = g_utf8_casefold (g_strstrip (*name), -1);

    found = strcmp (folded, wanted) == 0;
  }
  return found;
}

/* The output of the label, −1: there is none. */
static gint
find_label (char **labels, const char *class)
{
  for (gint i = 0; labels[i] != NULL; i++)
    if (is_label_of (labels[i], class))
      return i;
  return -1;
}

/* ---- The layer ---- */

static gboolean
is_average_or_view (const EnsNode *node)
{
  return node->op->kind == ENS_KIND_VIEW || ens_node_is (node, "GlobalAveragePool")
         || ens_node_is (node, "AveragePool") || ens_node_is (node, "ReduceMean")
         || ens_node_is (node, "Reshape");
}

/* A vector of as many features as the tap's is no map that was flattened: it is their average. */
static gboolean
reads_average_of (const EnsNode *layer, const char *tap)
{
  const EnsValue *value = layer->inputs[0];

  while (strcmp (value->name, tap) != 0) {
    if (value->producer == NULL || !is_average_or_view (value->producer))
      return FALSE;
    value = value->producer->inputs[0];
  }
  return TRUE;
}

/* (transfer full) */
static EnsLinear *
read_layer (const EnsOwnRowsQuery *query, guint n_labels)
{
  g_autoptr (EnsGraph) graph =
      ens_onnx_import (query->path, &(EnsOnnxOptions) {.nominal_size = query->size}, NULL);
  const EnsNode *layer = graph != NULL ? ens_label_layer_find (graph, NULL) : NULL;
  g_autoptr (EnsLinear) linear = layer != NULL ? ens_linear_read (layer) : NULL;

  if (linear == NULL || linear->n_taps != 1 || linear->group_inputs != query->length
      || linear->n_inputs != query->length || linear->n_outputs != n_labels
      || !reads_average_of (layer, query->tap))
    return NULL;
  return g_steal_pointer (&linear);
}

static void
copy_row (const EnsLinear *linear, gint output, EnsOwnRows *rows, guint class)
{
  gsize length = rows->layer->n_features;

  memcpy (&rows->layer->weights[class * length], &linear->weights[output * length],
          length * sizeof *linear->weights);
  rows->layer->biases[class] = linear->bias[output];
  rows->has_class[class] = TRUE;
  rows->n++;
}

EnsOwnRows *
ens_own_rows_find (const EnsOwnRowsQuery *query)
{
  guint n_classes = g_strv_length ((char **)query->classes);
  g_autoptr (EnsPreprocess) preprocess = ens_preprocess_find (query->path, NULL);
  g_autoptr (EnsLinear) linear = NULL;
  g_autoptr (EnsOwnRows) rows = g_new0 (EnsOwnRows, 1);

  if (preprocess == NULL || preprocess->labels == NULL)
    return NULL;
  linear = read_layer (query, g_strv_length (preprocess->labels));
  if (linear == NULL)
    return NULL;
  rows->layer = ens_linear_classifier_new (query->length, n_classes);
  rows->has_class = g_new0 (gboolean, n_classes);
  for (guint c = 0; c < n_classes; c++) {
    gint output = find_label (preprocess->labels, query->classes[c]);

    if (output >= 0)
      copy_row (linear, output, rows, c);
  }
  return rows->n > 0 ? g_steal_pointer (&rows) : NULL;
}
