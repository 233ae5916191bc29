/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks that take bytes get images of real numbers: what frames are resized to. */
#include "passes/passes.h"

#include "ops/params.h"
#include "passes/rewrite.h"

typedef struct {
  EnsType type;
  float min, max;
} Range;

static const Range *
find_range (EnsType type)
{
  static const Range ranges[] = {{ENS_TYPE_UINT8, 0, 255},
                                 {ENS_TYPE_INT8, -128, 127},
                                 {ENS_TYPE_INT32, -65536, 65535},
                                 {ENS_TYPE_INT64, -65536, 65535}};

  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (ranges[i].type == type)
      return &ranges[i];
  return NULL;
}

static EnsValue *
append (EnsGraph *graph, const char *op, gconstpointer params, EnsValue *input, EnsType type)
{
  EnsNewNode node = {.op = op, .params = params, .inputs = {input}, .n_inputs = 1};
  EnsValue *output = ens_graph_insert_node (graph, ens_graph_node (graph, 0), &node)->outputs[0];

  output->type = type;
  output->shape = input->shape;
  return output;
}

/* To the nearest number of the old type. */
static void
convert (EnsGraph *graph, EnsValue *input, const Range *range)
{
  const EnsClipParams clip = {.min = range->min, .max = range->max};
  const EnsCastParams cast = {range->type};
  EnsValue *rounded, *value;

  input->type = ENS_TYPE_FLOAT32;
  rounded = append (graph, "Round", NULL, input, ENS_TYPE_FLOAT32);
  value = append (graph, "Clip", &clip, rounded, ENS_TYPE_FLOAT32);
  value = append (graph, "Cast", &cast, value, range->type);
  ens_graph_replace_uses (graph, input, value);
  ens_node_set_input (graph, rounded->producer, 0, input);
}

gboolean
ens_pass_float_inputs (EnsGraph *graph)
{
  gboolean progress = FALSE;

  if (graph->nodes->len == 0)
    return FALSE;
  ens_graph_begin_edit (graph);
  for (guint i = 0; i < graph->inputs->len; i++) {
    EnsValue *input = g_ptr_array_index (graph->inputs, i);
    const Range *range = input->shape.rank == 4 ? find_range (input->type) : NULL;

    if (range != NULL)
      convert (graph, input, range);
    progress = progress || range != NULL;
  }
  ens_graph_end_edit (graph);
  return progress;
}
