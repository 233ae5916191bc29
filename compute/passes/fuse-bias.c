/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/passes.h"

#include "graph/infer.h"
#include "ops/params.h"
#include "passes/rewrite.h"

static gboolean
is_product (const EnsGraph *graph, const EnsValue *value, const EnsNode *add)
{
  const EnsNode *matmul = value->producer;

  return ens_node_is (matmul, "MatMul") && ens_type_fuses (value->type) && matmul->n_inputs == 2
         && value->shape.rank >= 2 && matmul->inputs[1]->shape.rank >= 2
         && ((const EnsMatMulParams *)matmul->params)->activation.kind == ENS_ACTIVATION_NONE
         && ens_graph_only_reader (graph, value) == add;
}

static gboolean
is_vector (const EnsValue *value, gint64 n)
{
  return value->constant != NULL && value->shape.rank == 1 && value->shape.dims[0] == n;
}

/* The product with the bias; of two matrices, a Gemm. */
static EnsNode *
insert_product (EnsGraph *graph, const EnsNode *add, const EnsNode *matmul, EnsValue *bias)
{
  const EnsFusedActivation activation = ((const EnsBinaryParams *)add->params)->activation;
  const EnsGemmParams gemm = {.alpha = 1, .beta = 1, .activation = activation};
  const EnsMatMulParams product = {activation};
  gboolean is_gemm = matmul->inputs[0]->shape.rank == 2 && matmul->inputs[1]->shape.rank == 2;

  return ens_graph_insert_node (
      graph, add,
      &(EnsNewNode) {.op = is_gemm ? "Gemm" : "MatMul",
                     .name = matmul->name,
                     .params = is_gemm ? (gconstpointer)&gemm : &product,
                     .inputs = {matmul->inputs[0], matmul->inputs[1], bias},
                     .n_inputs = 3});
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
    EnsNode *node;

    if (!is_product (graph, product, add) || !is_vector (bias, columns))
      continue;
    node = insert_product (graph, add, product->producer, bias);
    ens_infer_node (node, FALSE, NULL);
    ens_graph_replace_uses (graph, add->outputs[0], node->outputs[0]);
    return TRUE;
  }
  return FALSE;
}

gboolean
ens_pass_fuse_bias (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, fuse);
}
