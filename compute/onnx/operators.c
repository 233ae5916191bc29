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
    {"NonMaxSuppression", "; export the network without the step that sorts out overlapping boxes "
                          "(Ultralytics: nms=False), or cut it off before"},
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

/* What is missing in a body and in the graphs within its nodes. */
typedef struct {
  EnsOnnxFunctions *functions;
  GArray *missing;   /* Missing */
  GHashTable *rows;  /* "DOMAIN OP" → the row's number, from 1 on */
  GPtrArray *bodies; /* of graphs within nodes; their names are used */
} Search;

static void
search_clear (Search *search)
{
  g_array_unref (search->missing);
  g_hash_table_unref (search->rows);
  g_ptr_array_unref (search->bodies);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Search, search_clear)

static void
search_restart (Search *search)
{
  g_array_set_size (search->missing, 0);
  g_hash_table_remove_all (search->rows);
}

static void
count_missing (Search *search, const Missing *node)
{
  g_autofree char *key = g_strdup_printf ("%s %s", node->domain, node->op);
  guint row = GPOINTER_TO_UINT (g_hash_table_lookup (search->rows, key));

  if (row > 0) {
    g_array_index (search->missing, Missing, row - 1).n++;
    return;
  }
  g_array_append_vals (search->missing, node, 1);
  g_hash_table_insert (search->rows, g_steal_pointer (&key),
                       GUINT_TO_POINTER (search->missing->len));
}

static void
find_missing (Search *search, const EnsOnnxBody *body)
{
  for (guint i = 0; i < body->nodes->len; i++) {
    const EnsOnnxBodyNode *from = &g_array_index (body->nodes, EnsOnnxBodyNode, i);
    Missing node = {.domain = name_domain (from->proto->domain),
                    .op = ens_onnx_text (from->proto->op_type),
                    .first = ens_onnx_node_name (from->proto),
                    .opset = ens_onnx_body_get_opset (from, search->functions->model),
                    .n = 1};

    node.last = find_last_opset (node.domain, node.op);
    if (node.opset < 1 || node.opset > node.last)
      count_missing (search, &node);
  }
}

static void find_missing_within (Search *search, const EnsOnnxBody *body);

/* What can't be read is not looked at: it is an error already that there is something missing. */
static void
find_missing_in_graph (Search *search, const Onnx__GraphProto *graph,
                       const Onnx__FunctionProto *function)
{
  EnsOnnxBody *body = ens_onnx_body_new (search->functions, graph, function, NULL);

  if (body == NULL)
    return;
  g_ptr_array_add (search->bodies, body);
  find_missing (search, body);
  find_missing_within (search, body);
}

/* Branches, whichever is chosen, and bodies of loops. */
static void
find_missing_within (Search *search, const EnsOnnxBody *body)
{
  for (guint i = 0; i < body->nodes->len; i++) {
    const EnsOnnxBodyNode *node = &g_array_index (body->nodes, EnsOnnxBodyNode, i);

    for (gsize j = 0; j < node->proto->n_attribute; j++)
      if (node->proto->attribute[j]->g != NULL)
        find_missing_in_graph (search, node->proto->attribute[j]->g, node->function);
  }
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
  if (missing->opset < 1 && missing->last > 0)
    return "; the file is incomplete: it has to say which opset its nodes are of";
  return missing->last > 0 ? "; export the network again with a known opset"
                           : "; gst-ensemble-1.0 inspect --operators lists what is";
}

static void
describe (GString *text, const Missing *missing)
{
  g_autofree char *op =
      g_utf8_substring (missing->op, 0, MIN (g_utf8_strlen (missing->op, -1), MAX_NAME));

  g_string_append_printf (text, "%s%s%s%s", text->len > 0 ? ", " : "", missing->domain,
                          *missing->domain != '\0' ? "." : "", op);
  if (missing->opset < 1)
    g_string_append (text, ", whose opset the file does not say");
  else
    g_string_append_printf (text, " of opset %" G_GINT64_FORMAT, missing->opset);
  if (missing->last > 0 && missing->opset > missing->last)
    g_string_append_printf (text, ", known are opsets 1 to %u", missing->last);
  if (missing->n > 1)
    g_string_append_printf (text, " (%u nodes, the first is “%s”)", missing->n, missing->first);
  else
    g_string_append_printf (text, " (node “%s”)", missing->first);
}

static char *
describe_all (const GArray *missing)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < MIN (missing->len, MAX_NAMED); i++)
    describe (text, &g_array_index (missing, Missing, i));
  if (missing->len > MAX_NAMED)
    g_string_append_printf (text, " and %u more", missing->len - MAX_NAMED);
  for (guint i = 0; i < MIN (missing->len, MAX_NAMED); i++) {
    const char *remedy = find_remedy (&g_array_index (missing, Missing, i));

    if (strstr (text->str, remedy) == NULL)
      g_string_append (text, remedy);
  }
  return g_string_free (text, FALSE);
}

gboolean
ens_onnx_check_operators (const GPtrArray *bodies, EnsOnnxFunctions *functions, GError **error)
{
  const EnsOnnxBody *whole = g_ptr_array_index (bodies, 0);
  const EnsOnnxBody *last = g_ptr_array_index (bodies, bodies->len - 1);
  g_auto (Search)
      search = {.functions = functions,
                .missing = g_array_new (FALSE, FALSE, sizeof (Missing)),
                .rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                .bodies = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_onnx_body_free)};
  g_autofree char *text = NULL;

  find_missing (&search, last);
  if (search.missing->len == 0)
    return TRUE;
  /* A branch is one of the graphs within the whole. */
  if (last != whole)
    search_restart (&search);
  find_missing_within (&search, whole);
  if (search.missing->len == 0)
    find_missing (&search, last);
  text = describe_all (search.missing);
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "operators that are not supported: %s",
               text);
  return FALSE;
}
