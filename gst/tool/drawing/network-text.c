/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network-text.h"

#include <string.h>

#include "../report/html.h"
#include "graph/op.h"

#define TIMES "\xc3\x97"

char *
network_format_count (double n)
{
  static const char *const units[] = {"", " k", " M", " G", " T"};
  guint unit = 0;

  while (n >= 999.5 && unit + 1 < G_N_ELEMENTS (units)) {
    n /= 1000;
    unit++;
  }
  if (unit == 0)
    return g_strdup_printf ("%.0f", n);
  return g_strdup_printf ("%.*f%s", n < 9.995 ? 2 : n < 99.95 ? 1 : 0, n, units[unit]);
}

char *
network_shorten (const char *text, guint max)
{
  g_autofree char *clean = html_clean (text);
  glong n = g_utf8_strlen (clean, -1), front = (max - 1) / 2, back = max - 1 - front;
  g_autofree char *start = NULL;

  if (n <= (glong)max)
    return g_steal_pointer (&clean);
  start = g_utf8_substring (clean, 0, front);
  return g_strconcat (start, "…", g_utf8_offset_to_pointer (clean, n - back), NULL);
}

char *
network_describe_shape (const EnsShape *shape)
{
  GString *text = g_string_new (NULL);

  for (guint d = shape->rank > 1 ? 1 : 0; d < shape->rank; d++)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, text->len > 0 ? " " TIMES " " : "",
                            shape->dims[d]);
  return g_string_free (text, FALSE);
}

/* The filters' positions: what the file says, or what the weights are. */
static void
add_kernel (GString *text, const EnsNode *node, EnsAttributes *attributes)
{
  gint64 sides[ENS_MAX_RANK];
  guint n = ens_attributes_ints (attributes, "kernel_shape", sides, ENS_MAX_RANK);

  for (guint i = 0; n == 0 && i < MIN (node->n_inputs, ENS_MAX_PARAMETERS); i++)
    if (node->op->parameters[i] == ENS_PARAMETER_WEIGHT && node->inputs[i] != NULL
        && node->inputs[i]->producer == NULL && node->inputs[i]->shape.rank > 2) {
      n = node->inputs[i]->shape.rank - 2;
      memcpy (sides, node->inputs[i]->shape.dims + 1, n * sizeof *sides);
    }
  for (guint i = 0; i < MIN (n, ENS_MAX_RANK); i++)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i == 0 ? " " : TIMES, sides[i]);
}

static void
add_stride (GString *text, EnsAttributes *attributes)
{
  gint64 strides[ENS_MAX_RANK];
  guint n = MIN (ens_attributes_ints (attributes, "strides", strides, ENS_MAX_RANK), ENS_MAX_RANK);
  gint64 largest = 1;

  for (guint i = 0; i < n; i++)
    largest = MAX (largest, strides[i]);
  if (largest > 1)
    g_string_append_printf (text, " /%" G_GINT64_FORMAT, largest);
}

static void
add_groups (GString *text, const EnsNode *node, EnsAttributes *attributes)
{
  const EnsShape *out = &node->outputs[0]->shape;
  gint64 n = ens_attributes_int (attributes, "group", 1);

  if (n > 1 && out->rank > 1 && n == out->dims[out->rank - 1])
    g_string_append (text, ", depthwise");
  else if (n > 1)
    g_string_append_printf (text, ", %" G_GINT64_FORMAT " groups", n);
}

char *
network_describe_node (const EnsNode *node)
{
  g_autoptr (EnsAttributes) attributes = ens_attributes_new ();
  GString *text = g_string_new (node->op->name);

  ens_op_write_attributes (node->op, node->params, node->n_outputs, ENS_OP_NEWEST_OPSET,
                           attributes);
  add_kernel (text, node, attributes);
  add_stride (text, attributes);
  add_groups (text, node, attributes);
  return g_string_free (text, FALSE);
}

char *
network_describe_rest (const NetworkGroup *group)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char *last = NULL;

  for (guint i = 0; i < group->nodes->len; i++) {
    const EnsNode *node = group->nodes->pdata[i];

    if (node == group->main || node->op->name == last)
      continue;
    last = node->op->name;
    g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "+ ", last);
  }
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}
