/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of an input's dimensions are channels.
 *
 * Networks converted from TensorFlow take (N, H, W, C), and transpose it to what ONNX's operators
 * want, at once or after they have scaled, padded or reordered it. */
#include <string.h>

#include "onnx/import.h"

/* Images have at least so many pixels in each direction; smaller maps say nothing. */
#define MIN_SIDE 16

static gboolean
is_channels (gint64 dimension)
{
  return dimension == 1 || dimension == 3 || dimension == 4;
}

static gboolean
is_side (gint64 dimension)
{
  return dimension < 0 || dimension >= MIN_SIDE;
}

gboolean
ens_onnx_is_transpose (const Onnx__NodeProto *node, const gint64 *perm)
{
  return g_strcmp0 (node->op_type, "Transpose") == 0 && node->n_attribute == 1
         && node->attribute[0]->n_ints == 4
         && memcmp (node->attribute[0]->ints, perm, 4 * sizeof *perm) == 0;
}

/* What a node says of the order of its input. */
typedef enum {
  ORDER_PASSED_ON, /* its output has the same */
  ORDER_FIRST,     /* channels are its dimension 1 */
  ORDER_LAST,      /* it brings them there */
  ORDER_UNKNOWN,
} Order;

static Order
read_order (const Onnx__NodeProto *node)
{
  /* Beside those that follow any order. */
  static const char *const passing[] = {"Cast",  "Concat",   "DequantizeLinear", "Gather",
                                        "Pad",   "Identity", "QuantizeLinear",   "Resize",
                                        "Slice", "Split",    "Upsample",         NULL};
  static const gint64 nhwc_to_nchw[] = {0, 3, 1, 2};
  const EnsOp *op;

  if (!ens_onnx_is_own_domain (node->domain))
    return ORDER_UNKNOWN;
  if (ens_onnx_is_transpose (node, nhwc_to_nchw))
    return ORDER_LAST;
  op = ens_op_find (ens_onnx_text (node->op_type));
  if (g_strv_contains (passing, ens_onnx_text (node->op_type))
      || (op != NULL && op->layout == ENS_LAYOUT_FOLLOWS))
    return ORDER_PASSED_ON;
  return op != NULL && op->layout == ENS_LAYOUT_SPATIAL ? ORDER_FIRST : ORDER_UNKNOWN;
}

static gboolean
reads (const Onnx__NodeProto *node, GHashTable *names)
{
  for (gsize i = 0; i < node->n_input; i++)
    if (g_hash_table_contains (names, node->input[i]))
      return TRUE;
  return FALSE;
}

gboolean
ens_onnx_is_given_last (const EnsOnnxImport *import, const char *name, const EnsShape *declared)
{
  const EnsOnnxBody *body = g_ptr_array_index (import->bodies, 0);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  gboolean last = FALSE, first = FALSE;

  g_hash_table_add (names, (gpointer)name);
  for (guint i = 0; i < body->nodes->len; i++) {
    const Onnx__NodeProto *node = g_array_index (body->nodes, EnsOnnxBodyNode, i).proto;
    Order order = reads (node, names) ? read_order (node) : ORDER_UNKNOWN;

    first = first || order == ORDER_FIRST;
    last = last || order == ORDER_LAST;
    for (gsize j = 0; order == ORDER_PASSED_ON && j < node->n_output; j++)
      g_hash_table_add (names, node->output[j]);
  }
  if (first || last)
    return last && !first;
  return is_channels (declared->dims[3]) && !is_channels (declared->dims[1])
         && is_side (declared->dims[1]) && is_side (declared->dims[2]);
}
