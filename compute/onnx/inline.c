/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions that a file defines: a node that calls one becomes the nodes of its body.
 *
 * Source: https://github.com/onnx/onnx/blob/main/docs/IR.md, "Functions"; fields of newer versions
 * of onnx.proto than the one that this is built with are read from what the parser leaves over. */
#include <string.h>

#include "base/fail.h"
#include "onnx/import.h"

/* Calls within calls. */
#define MAX_DEPTH 64
/* Field numbers of onnx.proto. */
#define FUNCTION_ATTRIBUTE_PROTO 11
#define FUNCTION_OVERLOAD 13
#define NODE_OVERLOAD 8

typedef struct {
  EnsOnnxFunctions *functions;
  EnsOnnxBody *body;
  guint depth;
  gboolean overspent;
} Inliner;

/* One call. */
typedef struct {
  Inliner *inliner;
  const Onnx__NodeProto *call;
  const Onnx__FunctionProto *function;
  GHashTable *names; /* name in the function → name in the graph */
  char *prefix;
} Call;

/* ---- Keys ---- */

/* The contents of a length-prefixed field that the parser does not know. */
static GBytes *
find_unknown (const ProtobufCMessage *message, guint32 number, guint *after)
{
  for (; *after < message->n_unknown_fields; (*after)++) {
    const ProtobufCMessageUnknownField *field = &message->unknown_fields[*after];
    gsize start = 0;

    if (field->tag != number || field->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
      continue;
    while (start < field->len && field->data[start] & 0x80)
      start++;
    start = MIN (start + 1, field->len);
    (*after)++;
    return g_bytes_new_static (field->data + start, field->len - start);
  }
  return NULL;
}

/* (transfer full) */
static char *
make_key (const char *domain, const char *name, const ProtobufCMessage *message, guint32 overload)
{
  guint after = 0;
  g_autoptr (GBytes) bytes = find_unknown (message, overload, &after);
  g_autofree char *text =
      bytes != NULL ? g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes)) : NULL;

  return g_strdup_printf ("%s %s %s", ens_onnx_is_own_domain (domain) ? "" : domain,
                          ens_onnx_text (name), ens_onnx_text (text));
}

static const Onnx__FunctionProto *
find_function (const Inliner *inliner, const Onnx__NodeProto *node)
{
  g_autofree char *key = make_key (node->domain, node->op_type, &node->base, NODE_OVERLOAD);

  return g_hash_table_lookup (inliner->functions->table, key);
}

/* ---- What copies take ---- */

/* What a parsed node or attribute takes beyond its bytes in the file. */
#define OVERHEAD 200

/* Takes this of the budget; FALSE from when it does not suffice. */
static gboolean
spend (Inliner *inliner, gsize size)
{
  if (!ens_onnx_budget_take (inliner->functions->budget, size))
    inliner->overspent = TRUE;
  return !inliner->overspent;
}

static gboolean
fail_overspent (const Onnx__NodeProto *node, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
               "node “%s” (%s): functions of the file call each other so often, or with so much, "
               "that they would take far more memory than the file",
               ens_onnx_node_name (node), ens_onnx_text (node->op_type));
  return FALSE;
}

/* ---- Names ---- */

/* A name that no other tensor has. (transfer full) */
static char *
make_name (Inliner *inliner, const char *prefix, const char *name)
{
  GHashTable *taken = inliner->functions->taken;
  g_autofree char *base = g_strconcat (prefix, name, NULL);
  char *made = g_strdup (base);
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (taken, base));

  while (g_hash_table_contains (taken, made)) {
    g_free (made);
    n = MAX (n + 1, 2);
    made = g_strdup_printf ("%s_%u", base, n);
  }
  g_hash_table_insert (taken, g_strdup (made), NULL);
  g_hash_table_insert (taken, g_steal_pointer (&base), GUINT_TO_POINTER (n));
  return made;
}

/* What a tensor of the function is called in the graph. */
static const char *
translate (Call *call, const char *name)
{
  const char *known = g_hash_table_lookup (call->names, name);
  char *made;

  if (*name == '\0' || known != NULL)
    return *name == '\0' ? "" : known;
  if (!spend (call->inliner, 2 * (strlen (call->prefix) + strlen (name)) + strlen (name)))
    return name;
  made = make_name (call->inliner, call->prefix, name);
  g_hash_table_insert (call->names, g_strdup (name), made);
  return made;
}

static void
replace_text (char **text, const char *name)
{
  /* protobuf's empty text is not allocated. */
  if (*text != NULL && **text != '\0')
    free (*text);
  *text = strdup (name);
}

static void
rename_text (Call *call, char **text)
{
  const char *name = translate (call, ens_onnx_text (*text));

  if (spend (call->inliner, strlen (name)))
    replace_text (text, name);
}

static void rename_node (Call *call, Onnx__NodeProto *node);

/* A graph within a node: the branch of an If. */
static void
rename_graph (Call *call, Onnx__GraphProto *graph)
{
  for (gsize i = 0; i < graph->n_initializer; i++)
    rename_text (call, &graph->initializer[i]->name);
  for (gsize i = 0; i < graph->n_output; i++)
    rename_text (call, &graph->output[i]->name);
  for (gsize i = 0; i < graph->n_node; i++)
    rename_node (call, graph->node[i]);
}

/* ---- Attributes ---- */

static const Onnx__AttributeProto *
find_attribute (const Onnx__NodeProto *node, const char *name)
{
  for (gsize i = 0; i < node->n_attribute; i++)
    if (strcmp (ens_onnx_text (node->attribute[i]->name), name) == 0)
      return node->attribute[i];
  return NULL;
}

/* NULL: the budget does not suffice. (transfer full) */
static Onnx__AttributeProto *
copy_attribute (Inliner *inliner, const Onnx__AttributeProto *attribute)
{
  gsize size = onnx__attribute_proto__get_packed_size (attribute);
  g_autofree guint8 *data = NULL;

  if (!spend (inliner, size + OVERHEAD))
    return NULL;
  data = g_malloc (size);
  onnx__attribute_proto__pack (attribute, data);
  return onnx__attribute_proto__unpack (NULL, size, data);
}

/* What the function takes where the call does not say; NULL: nothing. (transfer full) */
static Onnx__AttributeProto *
find_default (const Call *call, const char *name)
{
  const ProtobufCMessage *function = &call->function->base;
  guint after = 0;

  for (;;) {
    g_autoptr (GBytes) bytes = find_unknown (function, FUNCTION_ATTRIBUTE_PROTO, &after);
    Onnx__AttributeProto *attribute;

    if (bytes == NULL || !spend (call->inliner, g_bytes_get_size (bytes) + OVERHEAD))
      return NULL;
    attribute = ens_onnx_parse_attribute (bytes);
    if (attribute == NULL)
      continue;
    if (strcmp (ens_onnx_text (attribute->name), name) == 0)
      return attribute;
    onnx__attribute_proto__free_unpacked (attribute, NULL);
  }
}

/* An attribute that refers to one of the call's becomes that one, under its own name; NULL where
 * the call and the function leave it open. Takes the attribute. (transfer full) */
static Onnx__AttributeProto *
resolve_attribute (const Call *call, Onnx__AttributeProto *attribute)
{
  const char *name = ens_onnx_text (attribute->ref_attr_name);
  const Onnx__AttributeProto *given = find_attribute (call->call, name);
  Onnx__AttributeProto *resolved =
      given != NULL ? copy_attribute (call->inliner, given) : find_default (call, name);

  if (resolved != NULL) {
    char *swap = resolved->name;

    resolved->name = attribute->name;
    attribute->name = swap;
  }
  onnx__attribute_proto__free_unpacked (attribute, NULL);
  return resolved;
}

static void
rename_attributes (Call *call, Onnx__NodeProto *node)
{
  gsize n = 0;

  for (gsize i = 0; i < node->n_attribute; i++) {
    Onnx__AttributeProto *attribute = node->attribute[i];

    if (*ens_onnx_text (attribute->ref_attr_name) != '\0')
      attribute = resolve_attribute (call, attribute);
    if (attribute != NULL)
      node->attribute[n++] = attribute;
  }
  node->n_attribute = n;
  for (gsize i = 0; i < n; i++)
    if (node->attribute[i]->g != NULL)
      rename_graph (call, node->attribute[i]->g);
}

/* ---- Nodes ---- */

static void
rename_node (Call *call, Onnx__NodeProto *node)
{
  const char *name = ens_onnx_text (node->name);

  for (gsize i = 0; i < node->n_input; i++)
    rename_text (call, &node->input[i]);
  for (gsize i = 0; i < node->n_output; i++)
    rename_text (call, &node->output[i]);
  if (*name != '\0' && spend (call->inliner, strlen (call->prefix) + strlen (name))) {
    g_autofree char *longer = g_strconcat (call->prefix, name, NULL);

    replace_text (&node->name, longer);
  }
  rename_attributes (call, node);
}

/* NULL: the budget does not suffice. (transfer full) */
static Onnx__NodeProto *
copy_node (Inliner *inliner, const Onnx__NodeProto *node)
{
  gsize size = onnx__node_proto__get_packed_size (node);
  g_autofree guint8 *data = NULL;

  if (!spend (inliner, size + OVERHEAD))
    return NULL;
  data = g_malloc (size);
  onnx__node_proto__pack (node, data);
  return onnx__node_proto__unpack (NULL, size, data);
}

static gboolean add_node (Inliner *inliner, Onnx__NodeProto *node,
                          const Onnx__FunctionProto *function, GError **error);

static void
bind_name (Call *call, const char *name, const char *to)
{
  if (spend (call->inliner, strlen (name) + strlen (to) + 1))
    g_hash_table_insert (call->names, g_strdup (name), g_strdup (to));
}

static void
call_init (Call *call, Inliner *inliner, const Onnx__NodeProto *node,
           const Onnx__FunctionProto *function)
{
  *call = (Call) {inliner, node, function};
  call->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  call->prefix = g_strconcat (ens_onnx_node_name (node), "/", NULL);
  for (gsize i = 0; i < function->n_input; i++)
    bind_name (call, function->input[i], i < node->n_input ? node->input[i] : "");
  for (gsize i = 0; i < function->n_output && i < node->n_output; i++)
    if (*node->output[i] != '\0')
      bind_name (call, function->output[i], node->output[i]);
}

static gboolean
copy_into (Call *call, const Onnx__NodeProto *node, GError **error)
{
  Inliner *inliner = call->inliner;
  Onnx__NodeProto *copy = copy_node (inliner, node);

  if (copy != NULL) {
    g_ptr_array_add (inliner->body->copies, copy);
    rename_node (call, copy);
  }
  return copy != NULL && !inliner->overspent ? add_node (inliner, copy, call->function, error)
                                             : fail_overspent (node, error);
}

static gboolean
inline_call (Inliner *inliner, const Onnx__NodeProto *node, const Onnx__FunctionProto *function,
             GError **error)
{
  gboolean done = TRUE;
  Call call;

  if (inliner->depth >= MAX_DEPTH)
    return ens_fail (error, ENS_ERROR_FORMAT, ens_onnx_node_name (node),
                     "the function “%s” calls itself, or functions are more than %d deep",
                     ens_onnx_text (function->name), MAX_DEPTH);
  inliner->depth++;
  call_init (&call, inliner, node, function);
  for (gsize i = 0; i < function->n_node && done; i++)
    done = copy_into (&call, function->node[i], error);
  g_hash_table_unref (call.names);
  g_free (call.prefix);
  inliner->depth--;
  return done;
}

static gboolean
add_node (Inliner *inliner, Onnx__NodeProto *node, const Onnx__FunctionProto *function,
          GError **error)
{
  const Onnx__FunctionProto *called = find_function (inliner, node);

  if (called != NULL)
    return inline_call (inliner, node, called, error);
  ens_onnx_body_add (inliner->body, node, function);
  return TRUE;
}

/* ---- The whole ---- */

static void
take_names (GHashTable *taken, const Onnx__GraphProto *graph)
{
  for (gsize i = 0; i < graph->n_node; i++)
    for (gsize j = 0; j < graph->node[i]->n_output; j++)
      g_hash_table_insert (taken, g_strdup (graph->node[i]->output[j]), NULL);
  for (gsize i = 0; i < graph->n_initializer; i++)
    g_hash_table_insert (taken, g_strdup (ens_onnx_text (graph->initializer[i]->name)), NULL);
  for (gsize i = 0; i < graph->n_input; i++)
    g_hash_table_insert (taken, g_strdup (ens_onnx_text (graph->input[i]->name)), NULL);
}

void
ens_onnx_functions_init (EnsOnnxFunctions *functions, const Onnx__ModelProto *model, gsize *budget)
{
  *functions = (EnsOnnxFunctions) {
      .model = model,
      .table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
      .taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
      .budget = budget,
  };
  for (gsize i = 0; i < model->n_functions; i++) {
    const Onnx__FunctionProto *function = model->functions[i];

    g_hash_table_insert (
        functions->table,
        make_key (function->domain, function->name, &function->base, FUNCTION_OVERLOAD),
        (gpointer)function);
  }
  take_names (functions->taken, model->graph);
}

void
ens_onnx_functions_clear (EnsOnnxFunctions *functions)
{
  g_clear_pointer (&functions->table, g_hash_table_unref);
  g_clear_pointer (&functions->taken, g_hash_table_unref);
}

gboolean
ens_onnx_body_inline (EnsOnnxBody *body, EnsOnnxFunctions *functions, const Onnx__GraphProto *graph,
                      const Onnx__FunctionProto *function, GError **error)
{
  Inliner inliner = {.functions = functions, .body = body};

  for (gsize i = 0; i < graph->n_node; i++)
    if (!add_node (&inliner, graph->node[i], function, error))
      return FALSE;
  return TRUE;
}
