/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes behind those that compute what they read. ONNX asks it of files, but tools that put nodes
 * in, such as onnxconverter-common's float16 with its casts of inputs, append them, and ONNX
 * Runtime takes such files.
 *
 * A search in depth without recursion: time is proportional to nodes and what they read. */
#include "onnx/body.h"

enum { NEW, OPEN, DONE };

typedef struct {
  const GArray *nodes; /* EnsOnnxBodyNode */
  GHashTable *writers; /* name → index of the node + 1 */
  guint8 *states;
  GArray *stack; /* guint */
  guint node;    /* whose reads are looked at */
  gboolean unsorted, cyclic;
} Sort;

static const Onnx__NodeProto *
get_proto (const Sort *sort, guint node)
{
  return g_array_index (sort->nodes, EnsOnnxBodyNode, node).proto;
}

/* FALSE: none of these nodes writes it. */
static gboolean
find_writer (const Sort *sort, const char *name, guint *node)
{
  guint index = GPOINTER_TO_UINT (g_hash_table_lookup (sort->writers, name));

  *node = index - 1;
  return index > 0;
}

static void
note_writers (Sort *sort)
{
  for (guint i = 0; i < sort->nodes->len; i++) {
    const Onnx__NodeProto *proto = get_proto (sort, i);

    for (gsize j = 0; j < proto->n_output; j++)
      g_hash_table_insert (sort->writers, proto->output[j], GUINT_TO_POINTER (i + 1));
  }
}

static void
compare_places (char *name, gpointer data)
{
  Sort *sort = data;
  guint writer;

  sort->unsorted |= find_writer (sort, name, &writer) && writer >= sort->node;
}

static gboolean
is_sorted (Sort *sort)
{
  for (sort->node = 0; sort->node < sort->nodes->len; sort->node++)
    ens_onnx_node_foreach_read (get_proto (sort, sort->node), compare_places, sort);
  return !sort->unsorted;
}

static void
push_writer (char *name, gpointer data)
{
  Sort *sort = data;
  guint writer;

  if (!find_writer (sort, name, &writer))
    return;
  sort->cyclic |= sort->states[writer] == OPEN;
  if (sort->states[writer] == NEW)
    g_array_append_val (sort->stack, writer);
}

/* Appends the node to `order`, those that it depends on before. */
static void
visit (Sort *sort, guint node, GArray *order)
{
  g_array_append_val (sort->stack, node);
  while (sort->stack->len > 0) {
    guint top = g_array_index (sort->stack, guint, sort->stack->len - 1);

    if (sort->states[top] == NEW) {
      sort->states[top] = OPEN;
      ens_onnx_node_foreach_read (get_proto (sort, top), push_writer, sort);
      continue;
    }
    if (sort->states[top] == OPEN)
      g_array_append_val (order, g_array_index (sort->nodes, EnsOnnxBodyNode, top));
    sort->states[top] = DONE;
    g_array_set_size (sort->stack, sort->stack->len - 1);
  }
}

void
ens_onnx_body_sort (EnsOnnxBody *body)
{
  g_autoptr (GHashTable) writers = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree guint8 *states = g_new0 (guint8, body->nodes->len + 1);
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) order = g_array_new (FALSE, FALSE, sizeof (EnsOnnxBodyNode));
  Sort sort = {.nodes = body->nodes, .writers = writers, .states = states, .stack = stack};

  note_writers (&sort);
  if (is_sorted (&sort))
    return;
  for (guint i = 0; i < body->nodes->len; i++)
    visit (&sort, i, order);
  if (!sort.cyclic) {
    g_array_unref (body->nodes);
    body->nodes = g_steal_pointer (&order);
  }
}
