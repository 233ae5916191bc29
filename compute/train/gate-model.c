/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/gate-model.h"

#include <float.h>
#include <string.h>

#include "engine/network-private.h"
#include "ops/params.h"
#include "passes/rewrite.h"

/* The probability's share beside a similarity of 1: few tenths tell images of classes of the same
 * kind better, and more spoil what tells unrelated images. */
#define PROBABILITY 0.2F

/* Images that are measured at once. */
#define BATCH 256

/* The first is the document's. */
const EnsGateKind ens_gate_kinds[] = {
    {"label-cosine", TRUE, ENS_SIMILARITY_COSINE},
    {"label-centred-cosine", TRUE, ENS_SIMILARITY_CENTRED_COSINE},
    {"label-distance", TRUE, ENS_SIMILARITY_DISTANCE},
    {"label-nearest", TRUE, ENS_SIMILARITY_NEAREST},
    {"cosine", FALSE, ENS_SIMILARITY_COSINE},
    {"centred-cosine", FALSE, ENS_SIMILARITY_CENTRED_COSINE},
    {"distance", FALSE, ENS_SIMILARITY_DISTANCE},
    {"mahalanobis", FALSE, ENS_SIMILARITY_MAHALANOBIS},
    {"nearest", FALSE, ENS_SIMILARITY_NEAREST},
    {"nearest+probability", FALSE, ENS_SIMILARITY_NEAREST, TRUE},
    {"probability", .rival = TRUE},
};

const guint ens_gate_n_kinds = G_N_ELEMENTS (ens_gate_kinds);

G_STATIC_ASSERT (G_N_ELEMENTS (ens_gate_kinds) <= ENS_GATE_MAX_KINDS);

/* ---- Learning ---- */

static EnsExamples
get_examples (const EnsGateModel *model, gboolean of_labels)
{
  const EnsLabels truth = {model->n_rows, model->task->examples.truth.n_classes, model->labels};

  return of_labels ? (EnsExamples) {truth, model->width, model->values}
                   : (EnsExamples) {truth, model->task->length, model->features};
}

static void
copy_rows (EnsGateModel *model)
{
  const EnsExamples *all = &model->task->examples;
  guint n_classes = all->truth.n_classes, length = model->task->length;

  for (guint i = 0; i < model->n_rows; i++) {
    gsize row = model->rows[i];

    memcpy (&model->features[(gsize)i * length],
            &all->features[row * all->n_features + model->task->first],
            length * sizeof *model->features);
    memcpy (&model->labels[(gsize)i * n_classes], &all->truth.labels[row * n_classes], n_classes);
    for (guint c = 0; c < n_classes; c++)
      model->has_class[c] |= ens_labels_has (&all->truth, (guint)row, c);
  }
}

/* The network's own rows of the classes that are learnt, where it has them. */
static void
begin_layer (EnsGateModel *model)
{
  const EnsOwnRows *own = model->task->own_rows;
  EnsLinearClassifier *layer = model->layer;
  gsize length = layer->n_features;

  ens_label_layer_begin (layer);
  for (guint c = 0; own != NULL && c < own->layer->n_classes; c++) {
    if (!own->has_class[c] || !model->has_class[c])
      continue;
    memcpy (&layer->weights[c * length], &own->layer->weights[c * length],
            length * sizeof *layer->weights);
    layer->biases[c] = own->layer->biases[c];
  }
}

void
ens_gate_model_init (EnsGateModel *model, const EnsGateTask *task, guint *rows, guint n_rows)
{
  guint n_classes = task->examples.truth.n_classes;
  const EnsLossRange loss = {task->settings->options[ENS_GATE_LOSS_LOW],
                             task->settings->options[ENS_GATE_LOSS_HIGH]};
  EnsThreadPool *pool = ens_device_get_pool (task->device);
  EnsExamples examples;

  *model = (EnsGateModel) {.task = task, .rows = rows, .n_rows = n_rows};
  model->features = g_new (float, (gsize)n_rows * task->length);
  model->width = MAX ((guint)task->settings->options[ENS_GATE_WIDTH], n_classes);
  model->values = g_new (float, (gsize)n_rows * model->width);
  model->labels = g_new (guint8, (gsize)n_rows * n_classes);
  model->has_class = g_new0 (gboolean, n_classes);
  copy_rows (model);
  examples = get_examples (model, FALSE);
  model->multi_label = ens_label_layer_is_multi_label (&examples.truth);
  model->layer = ens_linear_classifier_new (task->length, model->width);
  begin_layer (model);
  model->fit = ens_label_layer_train (model->layer, &examples, &loss, pool);
  ens_linear_classifier_decide (model->layer, model->features, n_rows, model->values, pool);
}

void
ens_gate_model_clear (EnsGateModel *model)
{
  g_free (model->rows);
  g_free (model->features);
  g_free (model->values);
  g_free (model->labels);
  g_free (model->has_class);
  g_clear_pointer (&model->layer, ens_linear_classifier_free);
}

/* ---- Graphs ---- */

static const EnsBinaryParams plain = {0};

/* Columns of a matrix that has n of them. */
static EnsValue *
append_slice (EnsGraph *graph, EnsValue *matrix, guint n, guint first, guint length)
{
  const EnsSliceParams params = {
      .starts = {1, TRUE, {first}}, .ends = {1, TRUE, {first + length}}, .axes = {1, TRUE, {1}}};

  return length == n ? matrix
                     : ens_graph_apply (graph, ens_op_find ("Slice"), &params, matrix, NULL);
}

static EnsValue *
append_layer (EnsGraph *graph, EnsValue *vectors, const EnsGateModel *model)
{
  g_autoptr (EnsGraph) part = ens_linear_classifier_to_graph (model->layer);
  const EnsValue *output = g_ptr_array_index (part->outputs, 0);
  g_autoptr (GPtrArray) values = ens_graph_embed (graph, part, "labels", &vectors);

  return g_ptr_array_index (values, output->index);
}

static EnsValue *
append_probability (EnsGraph *graph, EnsValue *labels, const EnsGateModel *model)
{
  static const EnsSoftmaxParams last = {.axis = 1};
  guint n_classes = model->task->examples.truth.n_classes;

  labels = append_slice (graph, labels, model->width, 0, n_classes);
  return model->multi_label ? ens_graph_apply (graph, ens_op_find ("Sigmoid"), NULL, labels, NULL)
                            : ens_graph_apply (graph, ens_op_find ("Softmax"), &last, labels, NULL);
}

static EnsValue *
append_scaled (EnsGraph *graph, EnsValue *value, float factor)
{
  return ens_graph_apply (graph, ens_op_find ("Mul"), &plain, value,
                          ens_graph_add_vector (graph, "factor", &factor, 1), NULL);
}

/* Not above 1, as far as rounding goes, and −1 for vectors that have no direction: whose length is
 * 0 or not finite. */
static EnsValue *
append_bounds (EnsGraph *graph, EnsValue *similarities, EnsValue *vectors)
{
  static const EnsReduceParams rows = {.axes = {1, TRUE, {1}}, .keepdims = TRUE};
  EnsValue *length = ens_graph_apply (graph, ens_op_find ("ReduceL2"), &rows, vectors, NULL);
  EnsValue *zero = ens_graph_add_vector (graph, "zero", &(float) {0}, 1);
  EnsValue *lowest = ens_graph_add_vector (graph, "lowest", &(float) {-1}, 1);
  EnsValue *largest = ens_graph_add_vector (graph, "largest", &(float) {FLT_MAX}, 1);
  EnsValue *sound = ens_graph_apply (
      graph, ens_op_find ("And"), NULL,
      ens_graph_apply (graph, ens_op_find ("Greater"), NULL, length, zero, NULL),
      ens_graph_apply (graph, ens_op_find ("LessOrEqual"), NULL, length, largest, NULL), NULL);
  EnsValue *bounded =
      ens_graph_apply (graph, ens_op_find ("Clip"), &(EnsClipParams) {-1, 1}, similarities, NULL);

  return ens_graph_apply (graph, ens_op_find ("Where"), NULL, sound, bounded, lowest, NULL);
}

EnsGraph *
ens_gate_model_to_graph (const EnsGateModel *model, const EnsGateKind *kind)
{
  const EnsGateTask *task = model->task;
  const EnsExamples examples = get_examples (model, kind->of_labels);
  EnsGraph *graph = ens_graph_new ("gate");
  EnsValue *features = ens_graph_add_input (graph, "features", ENS_TYPE_FLOAT32,
                                            &ENS_SHAPE (-1, task->examples.n_features));
  EnsValue *vectors =
      append_slice (graph, features, task->examples.n_features, task->first, task->length);
  EnsValue *labels = NULL, *value;

  if (kind->of_labels || kind->with_probability || kind->rival)
    labels = append_layer (graph, vectors, model);
  if (kind->of_labels)
    vectors = labels;
  if (kind->rival)
    value = append_probability (graph, labels, model);
  else
    value = ens_similarity_append (graph, vectors, kind->similarity, &examples,
                                   ens_device_get_pool (task->device));
  if (kind->with_probability) {
    EnsValue *share = append_scaled (graph, append_probability (graph, labels, model), PROBABILITY);

    value = ens_graph_apply (graph, ens_op_find ("Add"), &plain, value, share, NULL);
    value = append_scaled (graph, value, 1 / (1 + PROBABILITY));
  }
  value = append_bounds (graph, value, vectors);
  ens_graph_rename (graph, value, "similarities");
  ens_graph_add_output (graph, value);
  return graph;
}

/* ---- Measuring ---- */

gboolean
ens_gate_model_measure (const EnsGateModel *model, const EnsGateKind *kind,
                        const EnsGateImages *images, float *similarities, GError **error)
{
  guint n_features = model->task->examples.n_features;
  guint n_classes = model->task->examples.truth.n_classes;
  g_autoptr (EnsNetwork) network =
      ens_network_new (ens_gate_model_to_graph (model, kind), model->task->device, error);

  for (guint done = 0, n; network != NULL && done < images->n; done += n) {
    gconstpointer input = &images->features[(gsize)done * n_features];
    gpointer output = &similarities[(gsize)done * n_classes];
    g_autoptr (EnsPlan) plan = NULL;

    n = MIN (images->n - done, BATCH);
    plan = ens_network_plan (network, &ENS_SHAPE (n, n_features), error);
    if (plan == NULL || !ens_plan_run (plan, &input, &output, error))
      return FALSE;
  }
  return network != NULL;
}

guint *
ens_gate_model_find_likeliest (const EnsGateModel *model, const EnsGateImages *images)
{
  const EnsGateTask *task = model->task;
  guint n_features = task->examples.n_features, n_classes = task->examples.truth.n_classes;
  g_autofree float *values = g_new (float, (gsize)images->n * model->width);
  g_autofree float *compared = g_new (float, (gsize)images->n * task->length);
  guint *likeliest = g_new (guint, images->n);

  for (guint i = 0; i < images->n; i++)
    memcpy (&compared[(gsize)i * task->length],
            &images->features[(gsize)i * n_features + task->first], task->length * sizeof (float));
  ens_linear_classifier_decide (model->layer, compared, images->n, values,
                                ens_device_get_pool (task->device));
  for (guint i = 0; i < images->n; i++) {
    const float *row = &values[(gsize)i * model->width];
    gint best = -1;

    for (guint c = 0; c < n_classes; c++)
      if (model->has_class[c] && (best < 0 || row[c] > row[best]))
        best = (gint)c;
    likeliest[i] = (guint)MAX (best, 0);
  }
  return likeliest;
}
