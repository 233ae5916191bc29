#include "passes/passes.h"

#include "passes/activation.h"
#include "passes/rewrite.h"

/* Where operators keep the activation that they apply to their result. */
static const struct {
  const char *op;
  gsize offset;
} fusable[] = {
    {"Conv", G_STRUCT_OFFSET (EnsConvParams, activation)},
    {"Gemm", G_STRUCT_OFFSET (EnsGemmParams, activation)},
    {"MatMul", G_STRUCT_OFFSET (EnsMatMulParams, activation)},
    {"Add", G_STRUCT_OFFSET (EnsBinaryParams, activation)},
    {"Sub", G_STRUCT_OFFSET (EnsBinaryParams, activation)},
    {"Mul", G_STRUCT_OFFSET (EnsBinaryParams, activation)},
    {"Div", G_STRUCT_OFFSET (EnsBinaryParams, activation)},
    {"Sum", G_STRUCT_OFFSET (EnsBinaryParams, activation)},
};

EnsFusedActivation *
ens_node_fused_activation (const EnsNode *node)
{
  for (guint i = 0; node != NULL && i < G_N_ELEMENTS (fusable); i++)
    if (ens_node_is (node, fusable[i].op) && node->params != NULL)
      return (EnsFusedActivation *)((char *)node->params + fusable[i].offset);
  return NULL;
}

static gboolean
fuse (EnsGraph *graph, EnsNode *node)
{
  EnsFusedActivation activation, *fused;
  const EnsValue *input;

  if (!ens_node_as_activation (node, &activation))
    return FALSE;
  input = node->inputs[0];
  fused = ens_node_fused_activation (input->producer);
  if (fused == NULL || fused->kind != ENS_ACTIVATION_NONE || !ens_type_fuses (input->type)
      || ens_graph_only_reader (graph, input) != node)
    return FALSE;
  *fused = activation;
  ens_graph_replace_uses (graph, node->outputs[0], node->inputs[0]);
  return TRUE;
}

gboolean
ens_pass_fuse_activation (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, fuse);
}
