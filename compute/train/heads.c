/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/heads.h"

#include <string.h>

#include "classify/linear-classifier.h"
#include "cpu/interpret.h"

/* The default head is the first. */
#define ENS_HEADS(HEAD) HEAD (svm)

#define DECLARE(head) extern const EnsHead ens_head_##head;
#define ADDRESS(head) &ens_head_##head,

ENS_HEADS (DECLARE)

static const EnsHead *const heads[] = {ENS_HEADS (ADDRESS)};

const EnsHead *
ens_head_get (guint i)
{
  return i < G_N_ELEMENTS (heads) ? heads[i] : NULL;
}

void
ens_head_graphs_clear (EnsHeadGraphs *graphs)
{
  g_clear_pointer (&graphs->images, ens_graph_free);
  g_clear_pointer (&graphs->windows, ens_graph_free);
}

/* ---- Heads by name ---- */

static const EnsHead *
find_head (const char *name, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (heads); i++) {
    if (strcmp (heads[i]->name, name) == 0)
      return heads[i];
    g_string_append_printf (known, "%s%s", i > 0 ? ", " : "", heads[i]->name);
  }
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA, "expected a head (%s), found “%s”", known->str,
               name);
  return NULL;
}

const EnsHead *
ens_head_parse (const char *text, double *options, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text != NULL ? text : heads[0]->name, ",", -1);
  const EnsHead *head = find_head (parts[0] != NULL ? parts[0] : "", error);
  g_autofree char *owner = NULL;

  if (head == NULL)
    return NULL;
  owner = g_strconcat ("head ", head->name, NULL);
  ens_options_set_defaults (head->options, options);
  for (char **part = &parts[1]; *part != NULL; part++)
    if (!ens_options_set (head->options, owner, *part, options, error))
      return NULL;
  return head;
}

/* ---- Decision values ---- */

/* Slow, but for any graph. */
static gboolean
interpret (const EnsHeadRows *rows, float *decisions, GError **error)
{
  g_autoptr (EnsTensor) input = ens_tensor_new_copy (
      ENS_TYPE_FLOAT32, &ENS_SHAPE (rows->n_rows, rows->n_features), rows->features);
  g_autoptr (GPtrArray) outputs = ens_interpret (rows->graph, &input, error);
  const EnsTensor *output;

  if (outputs == NULL)
    return FALSE;
  output = outputs->pdata[0];
  memcpy (decisions, output->data, ens_tensor_size (output));
  return TRUE;
}

gboolean
ens_head_decide (const EnsHeadRows *rows, float *decisions, EnsThreadPool *pool, GError **error)
{
  g_autoptr (EnsLinearClassifier) linear = ens_linear_classifier_from_graph (rows->graph);

  if (linear == NULL)
    return rows->n_rows == 0 || interpret (rows, decisions, error);
  ens_linear_classifier_decide (linear, rows->features, rows->n_rows, decisions, pool);
  return TRUE;
}
