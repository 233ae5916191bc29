#include "passes/passes.h"

#include "ops/params.h"
#include "passes/rewrite.h"

typedef gboolean (*IsIdentity) (const EnsNode *node);

static gboolean
always (const EnsNode *node)
{
  return TRUE;
}

static gboolean
has_one_input (const EnsNode *node)
{
  return node->n_inputs == 1;
}

static gboolean
combines_one_input (const EnsNode *node)
{
  const EnsBinaryParams *params = node->params;

  return node->n_inputs == 1 && (params == NULL || params->activation.kind == ENS_ACTIVATION_NONE);
}

static gboolean
pools_single_pixels (const EnsNode *node)
{
  const EnsSliding *sliding = &((const EnsPoolParams *)node->params)->sliding;

  if (sliding->rank == 0)
    return FALSE;
  for (guint i = 0; i < sliding->rank; i++)
    if (sliding->kernel[i] != 1 || sliding->strides[i] != 1 || sliding->pads_begin[i] != 0
        || sliding->pads_end[i] != 0)
      return FALSE;
  return TRUE;
}

static gboolean
pads_nothing (const EnsNode *node)
{
  const EnsPadParams *params = node->params;

  if (!params->has_pads || ens_node_input (node, 1) != NULL)
    return FALSE;
  for (guint i = 0; i < params->rank; i++)
    if (params->begin[i] != 0 || params->end[i] != 0)
      return FALSE;
  return TRUE;
}

static gboolean
keeps_order (const EnsNode *node)
{
  const EnsList *perm = &((const EnsTransposeParams *)node->params)->perm;

  for (guint i = 0; i < perm->n; i++)
    if (perm->values[i] != i)
      return FALSE;
  return perm->present;
}

static const struct {
  const char *op;
  IsIdentity is_identity;
} identities[] = {
    {"Identity", always},
    {"Dropout", always},
    {"MaxPool", pools_single_pixels},
    {"AveragePool", pools_single_pixels},
    {"Pad", pads_nothing},
    {"Transpose", keeps_order},
    {"Concat", has_one_input},
    {"Sum", combines_one_input},
    {"Mean", combines_one_input},
    {"Min", combines_one_input},
    {"Max", combines_one_input},
};

static gboolean
is_identity (const EnsNode *node)
{
  for (guint i = 0; i < G_N_ELEMENTS (identities); i++)
    if (ens_node_is (node, identities[i].op))
      return identities[i].is_identity (node);
  return FALSE;
}

/* Of further outputs (Dropout's mask, MaxPool's indices) the input tells nothing. */
static gboolean
has_one_output (const EnsGraph *graph, const EnsNode *node)
{
  for (guint i = 1; i < node->n_outputs; i++)
    if (ens_graph_is_read (graph, node->outputs[i]))
      return FALSE;
  return TRUE;
}

static gboolean
remove_identity (EnsGraph *graph, EnsNode *node)
{
  return is_identity (node) && has_one_output (graph, node)
         && ens_graph_replace_uses (graph, node->outputs[0], node->inputs[0]);
}

gboolean
ens_pass_remove_identities (EnsGraph *graph)
{
  return ens_graph_rewrite (graph, remove_identity);
}
