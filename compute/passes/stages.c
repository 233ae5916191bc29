/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passes/stages.h"

#include <math.h>

#include "passes/per-image.h"
#include "passes/rewrite.h"

/* How many bytes of a chunk's maps fit into a core's second-level cache beside the weights. */
#define CACHE (512.0 * 1024)
/* Nodes with fewer bytes of weights do not get a stage of their own. */
#define MIN_WEIGHTS (1024.0 * 1024)
/* Where more values than this are alive, most of which are looked at only now and then, the graph
 * is not cut. */
#define MAX_CROSSING 256
/* A new stage begins where the best chunk is so many times larger. */
#define MIN_RATIO 4
/* Weights transformed for Winograd's F(4×4, 3×3) take (6 / 3)² times the space. */
#define WINOGRAD 4

/* What a run of nodes costs, bytes. */
typedef struct {
  double weights; /* read once per chunk */
  double maps;    /* written per image */
  double largest; /* read and written per image by one node, at most */
} Cost;

typedef struct {
  const EnsGraph *sample;
  gint64 batch;
  int *dies;           /* by value index: position of the last node that reads it */
  GPtrArray *crossing; /* EnsValue that nodes so far have computed and others will read */
  guint *slots;        /* by value index: position there, from 1 on; 0: it is not there */
  gboolean *per_image; /* by node position */
  gboolean *batches;   /* by value index: whether the first axis is that of images */
  guint n_per_image;   /* that many nodes from the first one on */
} Cutter;

/* Costs */

static double
count_weights (const EnsNode *node)
{
  double size = 0;

  for (guint i = 0; i < node->n_inputs; i++)
    if (ens_node_constant (node, i) != NULL)
      size += (double)ens_tensor_size (node->inputs[i]->constant);
  if (ens_node_is (node, "Conv") && node->inputs[1]->shape.rank == 4
      && node->inputs[1]->shape.dims[1] == 3 && node->inputs[1]->shape.dims[2] == 3
      && node->inputs[1]->shape.dims[3] > 1)
    size *= WINOGRAD;
  return size;
}

static void
add_node (const Cutter *cutter, guint position, Cost *cost)
{
  const EnsNode *node = ens_graph_node (cutter->sample, position);
  double read = 0, written = 0;

  if (node->op->kind == ENS_KIND_VIEW)
    return;
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] != NULL && node->inputs[i]->constant == NULL)
      read += (double)ens_value_size (node->inputs[i]) / (double)cutter->batch;
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i]->constant == NULL)
      written += (double)ens_value_size (node->outputs[i]) / (double)cutter->batch;
  cost->weights += count_weights (node);
  cost->maps += written;
  cost->largest = MAX (cost->largest, read + written);
}

static void
add_cost (Cost *cost, const Cost *more)
{
  cost->weights += more->weights;
  cost->maps += more->maps;
  cost->largest = MAX (cost->largest, more->largest);
}

/* As many images as fit into the cache, or more if reading weights for so few would take longer
 * than the maps themselves. */
static double
choose_chunk (const Cost *cost)
{
  return fmax (cost->weights / fmax (cost->maps, 1), CACHE / fmax (cost->largest, 1));
}

/* Cuts */

/* A value that is waited for is taken out when the last node that reads it has been passed. */
static void
forget_read (const Cutter *cutter, const EnsValue *value, guint position)
{
  guint *slot = value != NULL ? &cutter->slots[value->index] : NULL;
  const EnsValue *last;

  if (slot == NULL || *slot == 0 || cutter->dies[value->index] >= (int)position)
    return;
  last = g_ptr_array_index (cutter->crossing, cutter->crossing->len - 1);
  cutter->slots[last->index] = *slot;
  g_ptr_array_index (cutter->crossing, *slot - 1) = (gpointer)last;
  g_ptr_array_set_size (cutter->crossing, (gint)cutter->crossing->len - 1);
  *slot = 0;
}

/* The node before `position` has been passed. */
static void
pass_node (const Cutter *cutter, guint position)
{
  const EnsNode *node = ens_graph_node (cutter->sample, position - 1);

  for (guint i = 0; i < node->n_inputs; i++)
    forget_read (cutter, node->inputs[i], position);
  for (guint i = 0; i < node->n_outputs; i++) {
    EnsValue *output = node->outputs[i];

    if (cutter->dies[output->index] < (int)position)
      continue;
    g_ptr_array_add (cutter->crossing, output);
    cutter->slots[output->index] = cutter->crossing->len;
  }
}

/* Whether the values that nodes from `position` on read of earlier ones are one value, small others
 * aside, and all of them batches of images. */
static gboolean
can_cut (const Cutter *cutter, guint position)
{
  gsize sum = 0, largest = 0;

  if (cutter->crossing->len > MAX_CROSSING)
    return FALSE;
  for (guint i = 0; i < cutter->crossing->len; i++) {
    const EnsValue *value = g_ptr_array_index (cutter->crossing, i);

    if (value->constant != NULL || !cutter->batches[value->index])
      return FALSE;
    sum += ens_value_size (value);
    largest = MAX (largest, ens_value_size (value));
  }
  return sum - largest <= largest / 8;
}

/* Ends of stages and their chunks. */
typedef struct {
  guint end;
  guint chunk;
} Cut;

/* The whole batch, or a power of two. */
static guint
round_chunk (const Cutter *cutter, double chunk)
{
  guint rounded = 1;

  if (chunk >= (double)cutter->batch)
    return (guint)cutter->batch;
  while (2.0 * rounded <= chunk)
    rounded *= 2;
  return rounded;
}

static void
end_stage (const Cutter *cutter, GArray *cuts, guint end, double chunk)
{
  Cut cut = {end, round_chunk (cutter, chunk)};
  Cut *last = cuts->len > 0 ? &g_array_index (cuts, Cut, cuts->len - 1) : NULL;

  if (last != NULL && last->chunk == cut.chunk)
    last->end = end;
  else
    g_array_append_val (cuts, cut);
}

/* Goes from one place where the graph can be cut to the next, and cuts where what follows wants far
 * larger chunks. */
static GArray *
choose_cuts (const Cutter *cutter)
{
  GArray *cuts = g_array_new (FALSE, FALSE, sizeof (Cut));
  guint n_nodes = cutter->sample->nodes->len, start = 0;
  Cost stage = {0}, segment = {0};

  for (guint i = 0; i < cutter->n_per_image; i++) {
    add_node (cutter, i, &segment);
    pass_node (cutter, i + 1);
    if (i + 1 < n_nodes && !can_cut (cutter, i + 1))
      continue;
    if (segment.weights > MIN_WEIGHTS && start > 0
        && choose_chunk (&segment) >= MIN_RATIO * choose_chunk (&stage)) {
      end_stage (cutter, cuts, start, choose_chunk (&stage));
      stage = (Cost) {0};
    }
    add_cost (&stage, &segment);
    segment = (Cost) {0};
    start = i + 1;
  }
  if (start > 0)
    end_stage (cutter, cuts, start, choose_chunk (&stage));
  if (start < n_nodes)
    end_stage (cutter, cuts, n_nodes, (double)cutter->batch);
  return cuts;
}

/* Parts */

static EnsStage *
stage_new (guint batch, guint chunk)
{
  EnsStage *stage = g_new0 (EnsStage, 1);

  stage->batch = batch;
  stage->chunk = chunk;
  stage->inputs = g_array_new (FALSE, FALSE, sizeof (EnsStagePort));
  stage->outputs = g_array_new (FALSE, FALSE, sizeof (EnsStagePort));
  return stage;
}

static void
free_stage (gpointer data)
{
  EnsStage *stage = data;

  g_clear_pointer (&stage->graph, ens_graph_free);
  g_array_unref (stage->inputs);
  g_array_unref (stage->outputs);
  g_free (stage);
}

static EnsStagePort
find_port (const EnsGraph *graph, const EnsValue *value)
{
  EnsStagePort port = {ENS_STAGE_INPUT, 0, value->index};

  if (g_ptr_array_find (graph->inputs, value, &port.index))
    return port;
  port.array = ENS_STAGE_OUTPUT;
  if (g_ptr_array_find (graph->outputs, value, &port.index))
    return port;
  port.array = ENS_STAGE_KEPT;
  return port;
}

/* A stage that is being taken out of a graph. */
typedef struct {
  const EnsGraph *graph;
  EnsStage *stage;
  EnsValue **twins; /* by value index of the graph: the stage's value that stands for it */
} Extraction;

/* Constants and inputs are added when first asked for. */
static EnsValue *
get_twin (Extraction *extraction, const EnsValue *value)
{
  EnsStage *stage = extraction->stage;
  EnsValue **twin;

  if (value == NULL)
    return NULL;
  twin = &extraction->twins[value->index];
  if (*twin == NULL && value->constant != NULL) {
    *twin = ens_graph_add_constant (stage->graph, value->name, value->constant);
  } else if (*twin == NULL) {
    EnsStagePort port = find_port (extraction->graph, value);

    *twin = ens_graph_add_input (stage->graph, value->name, value->type, &value->shape);
    g_array_append_val (stage->inputs, port);
  }
  return *twin;
}

static void
copy_node (Extraction *extraction, const EnsNode *node)
{
  EnsGraph *graph = extraction->stage->graph;
  g_autofree EnsValue **inputs = g_new0 (EnsValue *, node->n_inputs);
  EnsNode *twin;

  for (guint i = 0; i < node->n_inputs; i++)
    inputs[i] = get_twin (extraction, node->inputs[i]);
  twin = ens_graph_add_node (graph, node->op, node->name, node->params, inputs, node->n_inputs,
                             node->n_outputs);
  for (guint i = 0; i < node->n_outputs; i++) {
    ens_graph_rename (graph, twin->outputs[i], node->outputs[i]->name);
    twin->outputs[i]->type = node->outputs[i]->type;
    twin->outputs[i]->shape = node->outputs[i]->shape;
    extraction->twins[node->outputs[i]->index] = twin->outputs[i];
  }
}

/* Nodes [start, end) of the graph. */
static EnsStage *
extract (const Cutter *cutter, const EnsGraph *graph, guint start, const Cut *cut)
{
  EnsStage *stage = stage_new ((guint)cutter->batch, cut->chunk);
  g_autofree EnsValue **twins = g_new0 (EnsValue *, graph->values->len);
  Extraction extraction = {graph, stage, twins};

  stage->graph = ens_graph_new (graph->name);
  for (guint i = start; i < cut->end; i++)
    copy_node (&extraction, ens_graph_node (graph, i));
  for (guint i = start; i < cut->end; i++) {
    const EnsNode *node = ens_graph_node (graph, i);

    for (guint j = 0; j < node->n_outputs; j++) {
      EnsStagePort port = find_port (graph, node->outputs[j]);

      if (cutter->dies[port.value] < (int)cut->end)
        continue;
      ens_graph_add_output (stage->graph, twins[port.value]);
      g_array_append_val (stage->outputs, port);
    }
  }
  return stage;
}

static void
append_ports (GArray *ports, const GPtrArray *values, EnsStageArray array)
{
  for (guint i = 0; i < values->len; i++) {
    EnsStagePort port = {array, i, ((EnsValue *)g_ptr_array_index (values, i))->index};

    g_array_append_val (ports, port);
  }
}

GPtrArray *
ens_graph_keep_whole (const EnsGraph *graph)
{
  GPtrArray *stages = g_ptr_array_new_with_free_func (free_stage);
  EnsStage *stage = stage_new (1, 1);

  stage->graph = ens_graph_copy (graph);
  append_ports (stage->inputs, graph->inputs, ENS_STAGE_INPUT);
  append_ports (stage->outputs, graph->outputs, ENS_STAGE_OUTPUT);
  g_ptr_array_add (stages, stage);
  return stages;
}

/* All */

/* Each output is computed by a node, and no two are the same value. */
static gboolean
has_plain_outputs (const EnsGraph *graph)
{
  for (guint i = 0; i < graph->outputs->len; i++) {
    const EnsValue *output = g_ptr_array_index (graph->outputs, i);

    if (output->producer == NULL || output->constant != NULL)
      return FALSE;
    for (guint j = 0; j < i; j++)
      if (g_ptr_array_index (graph->outputs, j) == output)
        return FALSE;
  }
  return TRUE;
}

static void
note_last_uses (const EnsGraph *graph, int *dies)
{
  for (guint i = 0; i < graph->values->len; i++)
    dies[i] = -1;
  for (guint i = 0; i < graph->nodes->len; i++) {
    const EnsNode *node = ens_graph_node (graph, i);

    for (guint j = 0; j < node->n_inputs; j++)
      if (node->inputs[j] != NULL)
        dies[node->inputs[j]->index] = (int)i;
  }
  for (guint i = 0; i < graph->outputs->len; i++)
    dies[((EnsValue *)g_ptr_array_index (graph->outputs, i))->index] = (int)graph->nodes->len;
}

static GPtrArray *
cut_batch (const EnsGraph *graph, const EnsGraph *sample, gint64 batch)
{
  g_autofree int *dies = g_new (int, graph->values->len);
  g_autofree gboolean *batches = g_new0 (gboolean, sample->values->len + 1);
  g_autofree gboolean *per_image = ens_graph_find_per_image (sample, batch, batches);
  g_autoptr (GPtrArray) crossing = g_ptr_array_new ();
  g_autofree guint *slots = g_new0 (guint, sample->values->len);
  Cutter cutter = {sample, batch, dies, crossing, slots, per_image, batches};
  g_autoptr (GArray) cuts = NULL;
  GPtrArray *stages = g_ptr_array_new_with_free_func (free_stage);
  guint start = 0;

  note_last_uses (sample, dies);
  while (cutter.n_per_image < sample->nodes->len && per_image[cutter.n_per_image])
    cutter.n_per_image++;
  cuts = choose_cuts (&cutter);
  for (guint i = 0; i < cuts->len; i++) {
    const Cut *cut = &g_array_index (cuts, Cut, i);

    g_ptr_array_add (stages, extract (&cutter, graph, start, cut));
    start = cut->end;
  }
  return stages;
}

GPtrArray *
ens_graph_cut (const EnsGraph *graph, const EnsGraph *sample)
{
  gint64 batch = ens_graph_get_batch (sample);

  return batch > 1 && has_plain_outputs (sample) ? cut_batch (graph, sample, batch)
                                                 : ens_graph_keep_whole (graph);
}
