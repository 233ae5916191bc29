/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "graph/infer.h"
#include "ops/params.h"
#include "passes/rewrite.h"

static gboolean
is_product (const EnsGraph *graph, const EnsValue *value, const EnsNode *add)
{
  const EnsNode *matmul = value->producer;

  return ens_node_is (matmul, "MatMul") && ens_type_fuses (value->type) && value->shape.rank == 2
         && matmul->inputs[0]->shape.rank == 2
         && ((const EnsMatMulParams *)matmul->params)->activation.kind == ENS_ACTIVATION_NONE
         && ens_graph_only_reader (graph, value) == add;
}

static gboolean
is_vector (const EnsValue *value, gint64 n)
{
  return value->constant != NULL && value->shape.rank == 1 && value->shape.dims[0] == n;
}

static gboolean
fuse (EnsGraph *graph, EnsNode *add)
{
  gint64 columns = ens_shape_run (&add->outputs[0]->shape);

  if (add->op->kind != ENS_KIND_ADD || add->n_inputs != 2)
    return FALSE;
  for (guint i = 0; i < 2; i++) {
    const EnsValue *product = add->inputs[i];
    EnsValue *bias = add->inputs[1 - i];
    EnsGemmParams params = {.alpha = 1, .beta = 1};
    EnsNode *gemm;

    if (!is_product (graph, product, add) || !is_vector (bias, columns))
      continue;
    params.activation = ((const EnsBinaryParams *)add->params)->activation;
    gemm = ens_graph_insert_node (
        graph, add,
        &(EnsNewNode) {.op = "Gemm",
                       .name = product->producer->name,
                       .params = &params,
                       .inputs = {product->producer->inputs[0], product->producer->inputs[1], bias},
                       .n_inputs = 3});
    ens_infer_node (gemm, FALSE, NULL);
    ens_graph_replace_uses (graph, add->outputs[0], gemm->outputs[0]);
    return TRUE;
  }
  return FALSE;
}

gboolean
ens_pass_fuse_bias (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, fuse);
}
