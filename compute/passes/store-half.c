#include "passes/store-half.h"

#include "ops/params.h"
#include "passes/rewrite.h"

static gboolean
halve_constant (EnsValue *value, EnsHalveFunc halve, gpointer data)
{
  EnsTensor *half = halve (data, value->constant);

  if (half == NULL)
    return FALSE;
  ens_tensor_unref (value->constant);
  value->constant = half;
  value->type = ENS_TYPE_FLOAT16;
  return TRUE;
}

static void
convert_input (EnsGraph *graph, EnsValue *input)
{
  const EnsCastParams params = {ENS_TYPE_FLOAT16};
  EnsNode *node;

  if (input->type != ENS_TYPE_FLOAT32 || graph->nodes->len == 0)
    return;
  node = ens_graph_insert_node (
      graph, ens_graph_node (graph, 0),
      &(EnsNewNode) {.op = "Cast", .params = &params, .inputs = {input}, .n_inputs = 1});
  ens_graph_replace_uses (graph, input, node->outputs[0]);
  ens_node_set_input (node, 0, input);
}

static void
convert_output (EnsGraph *graph, const EnsGraph *sample, guint i)
{
  const EnsCastParams params = {ENS_TYPE_FLOAT32};

  if (((const EnsValue *)g_ptr_array_index (sample->outputs, i))->type == ENS_TYPE_FLOAT32)
    graph->outputs->pdata[i] =
        ens_graph_apply (graph, ens_op_find ("Cast"), &params, graph->outputs->pdata[i], NULL);
}

gboolean
ens_graph_store_half (EnsGraph *graph, const EnsGraph *sample, EnsHalveFunc halve, gpointer data)
{
  for (guint i = 0; i < graph->values->len; i++) {
    EnsValue *value = ens_graph_value (graph, i);

    if (value->constant != NULL && value->producer == NULL
        && value->constant->type == ENS_TYPE_FLOAT32 && !halve_constant (value, halve, data))
      return FALSE;
  }
  for (guint i = 0; i < graph->inputs->len; i++)
    convert_input (graph, g_ptr_array_index (graph->inputs, i));
  for (guint i = 0; i < graph->outputs->len; i++)
    convert_output (graph, sample, i);
  return TRUE;
}
