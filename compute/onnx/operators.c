/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which operators of a file are supported, in the versions that the file has. */
#include <string.h>

#include "onnx/body.h"
#include "onnx/import.h"

/* So many operators are named in one message: more than ONNX has; longer names are cut. */
#define MAX_NAMED 300
#define MAX_NAME 60

/* What to do where operators are missing, by operator. */
static const struct {
  const char *op, *remedy;
} remedies[] = {
    {"Loop", "; export the network for inputs of one size, so that it needs no control flow"},
    {"NonMaxSuppression", "; cut the network off before the detections are sorted out"},
    {"Scan", "; export the network for inputs of one size, so that it needs no control flow"},
};

/* Nodes of one operator that is not supported. */
typedef struct {
  const char *domain, *op, *first;
  gint64 opset;
  guint last; /* the newest opset in which it is known; 0: in none */
  guint n;
} Missing;

static const char *
name_domain (const char *domain)
{
  return ens_onnx_is_own_domain (domain) ? "" : domain;
}

gint64
ens_onnx_find_opset (const Onnx__ModelProto *model, const char *domain)
{
  gint64 opset = 0;

  for (gsize i = 0; i < model->n_opset_import; i++)
    if (strcmp (name_domain (model->opset_import[i]->domain), name_domain (domain)) == 0)
      opset = model->opset_import[i]->version;
  return opset;
}

/* The newest opset in which an operator is known; 0: there is none. */
static guint
find_last_opset (const char *domain, const char *name)
{
  const EnsOp *op = ens_op_find_in (domain, name);

  if (op != NULL && !(op->flags & ENS_OP_INTERNAL))
    return op->versions.until != 0 ? op->versions.until : ENS_OP_NEWEST_OPSET;
  return ens_onnx_find_special (domain, name) != NULL ? ENS_OP_NEWEST_OPSET : 0;
}

gboolean
ens_onnx_has_operator (const char *name)
{
  return find_last_opset ("", name) > 0;
}

const char *
ens_onnx_node_name (const Onnx__NodeProto *proto)
{
  const char *name = ens_onnx_text (proto->name);

  for (gsize i = 0; i < proto->n_output && *name == '\0'; i++)
    name = proto->output[i];
  return *name != '\0' ? name : ens_onnx_text (proto->op_type);
}

gboolean
ens_onnx_is_supported (const char *domain, const char *op, gint64 opset)
{
  return opset >= 1 && opset <= find_last_opset (name_domain (domain), op);
}

/* rows: "DOMAIN OP" → the row's number, from 1 on. */
static void
count_missing (GArray *missing, GHashTable *rows, const Missing *node)
{
  g_autofree char *key = g_strdup_printf ("%s %s", node->domain, node->op);
  guint row = GPOINTER_TO_UINT (g_hash_table_lookup (rows, key));

  if (row > 0) {
    g_array_index (missing, Missing, row - 1).n++;
    return;
  }
  g_array_append_vals (missing, node, 1);
  g_hash_table_insert (rows, g_steal_pointer (&key), GUINT_TO_POINTER (missing->len));
}

static GArray *
find_missing (const EnsOnnxBody *body, const Onnx__ModelProto *model)
{
  GArray *missing = g_array_new (FALSE, FALSE, sizeof (Missing));
  g_autoptr (GHashTable) rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < body->nodes->len; i++) {
    const EnsOnnxBodyNode *from = &g_array_index (body->nodes, EnsOnnxBodyNode, i);
    Missing node = {.domain = name_domain (from->proto->domain),
                    .op = ens_onnx_text (from->proto->op_type),
                    .first = ens_onnx_node_name (from->proto),
                    .opset = ens_onnx_body_get_opset (from, model),
                    .n = 1};

    node.last = find_last_opset (node.domain, node.op);
    if (node.opset < 1 || node.opset > node.last)
      count_missing (missing, rows, &node);
  }
  return missing;
}

static const char *
find_remedy (const Missing *missing)
{
  if (strcmp (missing->domain, "com.microsoft.nchwc") == 0)
    return "; the file is optimised for one kind of processor: save it at the optimisation level "
           "ORT_ENABLE_EXTENDED";
  for (guint i = 0; i < G_N_ELEMENTS (remedies) && missing->last == 0; i++)
    if (strcmp (missing->op, remedies[i].op) == 0)
      return remedies[i].remedy;
  return missing->last > 0 ? "; export the network again with a known opset"
                           : "; gst-ensemble-1.0 inspect --operators lists what is";
}

static void
describe (GString *text, const Missing *missing)
{
  g_autofree char *op =
      g_utf8_substring (missing->op, 0, MIN (g_utf8_strlen (missing->op, -1), MAX_NAME));

  g_string_append_printf (text, "%s%s%s%s of opset %" G_GINT64_FORMAT, text->len > 0 ? ", " : "",
                          missing->domain, *missing->domain != '\0' ? "." : "", op, missing->opset);
  if (missing->last > 0)
    g_string_append_printf (text, ", known are opsets 1 to %u", missing->last);
  if (missing->n > 1)
    g_string_append_printf (text, " (%u nodes, the first is “%s”)", missing->n, missing->first);
  else
    g_string_append_printf (text, " (node “%s”)", missing->first);
}

gboolean
ens_onnx_check_operators (const EnsOnnxBody *body, const Onnx__ModelProto *model, GError **error)
{
  g_autoptr (GArray) missing = find_missing (body, model);
  g_autoptr (GString) text = g_string_new (NULL);

  if (missing->len == 0)
    return TRUE;
  for (guint i = 0; i < MIN (missing->len, MAX_NAMED); i++)
    describe (text, &g_array_index (missing, Missing, i));
  if (missing->len > MAX_NAMED)
    g_string_append_printf (text, " and %u more", missing->len - MAX_NAMED);
  for (guint i = 0; i < MIN (missing->len, MAX_NAMED); i++) {
    const char *remedy = find_remedy (&g_array_index (missing, Missing, i));

    if (strstr (text->str, remedy) == NULL)
      g_string_append (text, remedy);
  }
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "operators that are not supported: %s",
               text->str);
  return FALSE;
}
