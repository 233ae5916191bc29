/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/member-graph.h"

#include "classify/linear-classifier.h"
#include "engine/feature-layers.h"
#include "graph/infer.h"
#include "onnx/onnx.h"
#include "ops/params.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

/* The images that the network was made for: of the size that the file declares where that is not
 * square, or others fail; else of the given one. */
static EnsShape
choose_nominal (const EnsGraph *graph, guint size)
{
  const EnsShape *declared = &((const EnsValue *)g_ptr_array_index (graph->inputs, 0))->shape;
  gint64 batch = MAX (declared->dims[0], 1);
  EnsShape nominal = ENS_SHAPE (batch, size, size, declared->dims[3]);
  EnsShape whole = ENS_SHAPE (batch, declared->dims[1], declared->dims[2], declared->dims[3]);
  g_autoptr (EnsGraph) sample = NULL;

  if (whole.dims[1] <= 0 || whole.dims[2] <= 0 || ens_shape_equal (&whole, &nominal))
    return nominal;
  if (whole.dims[1] != whole.dims[2])
    return whole;
  sample = ens_graph_copy (graph);
  return ens_infer_graph (sample, &nominal, NULL) ? nominal : whole;
}

static EnsGraph *
load_network (const char *path, guint size, gboolean confined, EnsShape *nominal, GError **error)
{
  const EnsOnnxOptions options = {.nominal_size = size, .confined = confined};
  g_autoptr (EnsGraph) graph = ens_onnx_import (path, &options, error);
  const EnsValue *input;

  if (graph == NULL)
    return NULL;
  if (graph->inputs->len != 1) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s: expected a network of one input, found %u", path, graph->inputs->len);
    return NULL;
  }
  ens_pass_float_inputs (graph);
  input = g_ptr_array_index (graph->inputs, 0);
  if (input->shape.rank != 4 || input->type != ENS_TYPE_FLOAT32) {
    g_autofree char *shape = ens_shape_to_string (&input->shape);

    g_set_error (error, ENS_ERROR, ENS_ERROR_SHAPE,
                 "%s: input “%s”: expected images of rank 4, float32 or bytes, found %s %s", path,
                 input->name, ens_type_name (input->type), shape);
    return NULL;
  }
  *nominal = choose_nominal (graph, size);
  return g_steal_pointer (&graph);
}

/* ---- Taps ---- */

static gboolean
missing_tap (const char *path, const EnsGraph *graph, const EnsShape *nominal, const char *name,
             GError **error)
{
  g_autoptr (GArray) taps = ens_graph_list_feature_layers (graph, nominal, NULL);
  g_autoptr (GString) known = g_string_new (NULL);

  for (guint i = 0; taps != NULL && i < MIN (taps->len, 8); i++)
    g_string_append_printf (known, "%s%s", i > 0 ? ", " : "",
                            g_array_index (taps, EnsFeatureLayer, taps->len - 1 - i).value->name);
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "%s: has no value “%s” to tap; from the output backwards it has %s …", path, name,
               known->str);
  return FALSE;
}

/* Makes the taps the graph's only outputs. */
static gboolean
set_taps (EnsGraph *graph, const char *path, const EnsShape *nominal, char **taps, GError **error)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new ();

  for (char **tap = taps; *tap != NULL; tap++) {
    EnsValue *value = ens_graph_find (graph, *tap);

    if (value == NULL)
      return missing_tap (path, graph, nominal, *tap, error);
    g_ptr_array_add (values, value);
  }
  g_ptr_array_set_size (graph->outputs, 0);
  for (guint i = 0; i < values->len; i++)
    ens_graph_add_output (graph, values->pdata[i]);
  ens_graph_remove_unused (graph);
  return TRUE;
}

/* A map becomes its average over positions. */
static EnsValue *
append_vector (EnsGraph *graph, EnsValue *value, const EnsShape *shape)
{
  EnsValue *average;

  if (shape->rank == 2)
    return value;
  average = ens_graph_apply (graph, ens_op_find ("GlobalAveragePool"), NULL, value, NULL);
  return ens_graph_apply (graph, ens_op_find ("Flatten"), &(EnsAxisParams) {.axis = 1}, average,
                          NULL);
}

/* Replaces the outputs by one: their vectors side by side. */
static gboolean
append_features (EnsGraph *graph, const char *path, const EnsShape *nominal, char **taps,
                 guint *n_features, GError **error)
{
  g_autoptr (EnsGraph) sample = ens_graph_copy (graph);
  g_autoptr (GPtrArray) vectors = g_ptr_array_new ();
  EnsNode *concat;

  if (!ens_infer_graph (sample, nominal, error))
    return FALSE;
  *n_features = 0;
  for (guint i = 0; i < graph->outputs->len; i++) {
    const EnsValue *at_size = sample->outputs->pdata[i];
    const EnsShape *shape = &at_size->shape;

    if (at_size->type != ENS_TYPE_FLOAT32 || (shape->rank != 2 && shape->rank != 4)
        || shape->dims[0] != nominal->dims[0]) {
      g_autofree char *text = ens_shape_to_string (shape);

      g_set_error (error, ENS_ERROR, ENS_ERROR_SHAPE,
                   "%s: tap “%s”: expected a float32 map or vector for each image, found %s %s",
                   path, taps[i], ens_type_name (at_size->type), text);
      return FALSE;
    }
    *n_features += (guint)shape->dims[shape->rank - 1];
    g_ptr_array_add (vectors, append_vector (graph, graph->outputs->pdata[i], shape));
  }
  concat =
      ens_graph_add_node (graph, ens_op_find ("Concat"), "features", &(EnsAxisParams) {.axis = 1},
                          (EnsValue **)vectors->pdata, vectors->len, 1);
  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (graph, concat->outputs[0]);
  return TRUE;
}

EnsGraph *
ens_member_body (const char *path, gboolean confined, const EnsBundleNetwork *settings,
                 guint *n_features, EnsMemberGeometry *geometry, GError **error)
{
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (GError) reason = NULL;
  guint channels = ens_order_channels (settings->normalise.order);
  EnsShape nominal;

  graph = load_network (path, settings->size, confined, &nominal, error);
  if (graph == NULL)
    return NULL;
  if (nominal.dims[3] >= 0 && nominal.dims[3] != channels) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_SHAPE,
                 "%s: takes images of %d channel%s, but the order says %u; it should be %s", path,
                 (int)nominal.dims[3], nominal.dims[3] == 1 ? "" : "s", channels,
                 nominal.dims[3] == 1 ? "GRAY" : "RGB or BGR");
    return NULL;
  }
  nominal.dims[3] = channels;
  if (!set_taps (graph, path, &nominal, settings->taps, error))
    return NULL;
  if (!ens_pass_convolutionalise (graph, &nominal, &reason) && reason != NULL) {
    g_propagate_prefixed_error (error, g_steal_pointer (&reason), "%s: ", path);
    return NULL;
  }
  if (!append_features (graph, path, &nominal, settings->taps, n_features, error)
      || !ens_passes_load (graph, error))
    return NULL;
  *geometry = ens_member_find_geometry (graph, &nominal, *n_features);
  return g_steal_pointer (&graph);
}

gboolean
ens_member_read_geometry (const char *path, const EnsBundleNetwork *settings,
                          EnsMemberGeometry *geometry, GError **error)
{
  guint n_features;
  g_autoptr (EnsGraph) body = ens_member_body (path, FALSE, settings, &n_features, geometry, error);

  return body != NULL;
}

/* ---- Classifiers ---- */

EnsGraph *
ens_member_load_classifier (const char *path, guint n_features, guint n_classes, GError **error)
{
  g_autoptr (EnsGraph) graph = ens_onnx_import (path, &(EnsOnnxOptions) {.confined = TRUE}, error);
  g_autoptr (EnsGraph) sample = NULL;
  const EnsShape expected = ENS_SHAPE (1, n_classes);
  const EnsValue *output;

  if (graph == NULL)
    return NULL;
  if (graph->inputs->len != 1 || graph->outputs->len != 1) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected a graph of one input and one output, found %u and %u", path,
                 graph->inputs->len, graph->outputs->len);
    return NULL;
  }
  sample = ens_graph_copy (graph);
  if (!ens_infer_graph (sample, &ENS_SHAPE (1, n_features), error)) {
    g_prefix_error (error, "%s: for the %u features of the network: ", path, n_features);
    return NULL;
  }
  output = g_ptr_array_index (sample->outputs, 0);
  if (output->type != ENS_TYPE_FLOAT32 || !ens_shape_equal (&output->shape, &expected)) {
    g_autofree char *found = ens_shape_to_string (&output->shape);

    g_set_error (error, ENS_ERROR, ENS_ERROR_SHAPE,
                 "%s: expected one value for each of %u classes, found %s %s", path, n_classes,
                 ens_type_name (output->type), found);
    return NULL;
  }
  return g_steal_pointer (&graph);
}

static EnsValue *
embed (EnsGraph *graph, const EnsGraph *part, const char *prefix, EnsValue *input)
{
  const EnsValue *output = g_ptr_array_index (part->outputs, 0);
  g_autoptr (GPtrArray) values = ens_graph_embed (graph, part, prefix, &input);

  return g_ptr_array_index (values, output->index);
}

/* Of any graph: the product with a row that is 1 for the class. */
static void
append_selection (EnsGraph *graph, guint n_classes, guint class)
{
  g_autoptr (EnsLinearClassifier) selection = ens_linear_classifier_new (n_classes, 1);
  g_autoptr (EnsGraph) part = NULL;
  EnsValue *output = g_ptr_array_index (graph->outputs, 0);

  selection->weights[class] = 1;
  part = ens_linear_classifier_to_graph (selection);
  output = embed (graph, part, "selection/", output);
  g_ptr_array_set_size (graph->outputs, 0);
  ens_graph_add_output (graph, output);
}

EnsGraph *
ens_member_select_class (EnsGraph *graph, guint n_classes, guint class)
{
  g_autoptr (EnsLinearClassifier) linear = ens_linear_classifier_from_graph (graph);
  g_autoptr (EnsLinearClassifier) alone = NULL;

  if (linear == NULL) {
    append_selection (graph, n_classes, class);
    return graph;
  }
  ens_graph_free (graph);
  alone = ens_linear_classifier_copy_class (linear, class);
  return ens_linear_classifier_to_graph (alone);
}

/* S (a·t + b); a and b fold into the classifiers when the network is prepared. */
static EnsValue *
append_sigmoid (EnsGraph *graph, EnsValue *decisions, const EnsCalibration *calibration,
                guint n_classes)
{
  static const EnsBinaryParams plain = {0};
  g_autofree float *a = g_new (float, n_classes);
  g_autofree float *b = g_new (float, n_classes);
  EnsValue *value;

  for (guint c = 0; c < n_classes; c++) {
    a[c] = calibration[c].a;
    b[c] = calibration[c].b;
  }
  value = ens_graph_apply (graph, ens_op_find ("Mul"), &plain, decisions,
                           ens_graph_add_vector (graph, "a", a, n_classes), NULL);
  value = ens_graph_apply (graph, ens_op_find ("Add"), &plain, value,
                           ens_graph_add_vector (graph, "b", b, n_classes), NULL);
  return ens_graph_apply (graph, ens_op_find ("Sigmoid"), NULL, value, NULL);
}

/* The images from right to left. */
static EnsValue *
append_mirror (EnsGraph *graph, EnsValue *images)
{
  static const EnsSliceParams backwards = {.starts = {1, TRUE, {-1}},
                                           .ends = {1, TRUE, {G_MININT64}},
                                           .axes = {1, TRUE, {2}},
                                           .steps = {1, TRUE, {-1}}};

  return ens_graph_apply (graph, ens_op_find ("Slice"), &backwards, images, NULL);
}

EnsGraph *
ens_member_join (const EnsGraph *body, guint n_inputs, gboolean flip, const EnsMemberHead *head)
{
  EnsGraph *graph = ens_graph_new (body->name);
  const EnsValue *input = g_ptr_array_index (body->inputs, 0);
  EnsShape open = ENS_SHAPE (input->shape.dims[0], -1, -1, input->shape.dims[3]);
  g_autoptr (GPtrArray) features = g_ptr_array_new ();
  EnsValue *value, *decisions;

  for (guint i = 0; i < n_inputs; i++) {
    g_autofree char *name = g_strdup_printf ("image%u", i);
    g_autofree char *prefix = g_strdup_printf ("%s/", name);
    EnsValue *image = ens_graph_add_input (graph, name, ENS_TYPE_FLOAT32, &open);

    g_ptr_array_add (features, embed (graph, body, prefix, image));
    if (flip)
      g_ptr_array_add (features, embed (graph, body, prefix, append_mirror (graph, image)));
  }
  value = features->pdata[0];
  if (features->len > 1)
    value = ens_graph_add_node (graph, ens_op_find ("Mean"), "mean", &(EnsBinaryParams) {0},
                                (EnsValue **)features->pdata, features->len, 1)
                ->outputs[0];
  if (head->classifier == NULL) {
    ens_graph_add_output (graph, value);
    return graph;
  }
  decisions = embed (graph, head->classifier, "classifier/", value);
  ens_graph_add_output (graph,
                        append_sigmoid (graph, decisions, head->calibration, head->n_classes));
  if (head->gate != NULL)
    ens_graph_add_output (graph, embed (graph, head->gate, "gate/", value));
  if (head->features)
    ens_graph_add_output (graph, value);
  return graph;
}

/* ---- Defaults ---- */

guint
ens_member_standard_size (const char *path, GError **error)
{
  EnsShape nominal;
  g_autoptr (EnsGraph) graph = load_network (path, ENS_STANDARD_SIZE, FALSE, &nominal, error);
  const EnsValue *input;

  if (graph == NULL)
    return 0;
  input = g_ptr_array_index (graph->inputs, 0);
  return input->shape.dims[1] > 0 && input->shape.dims[2] > 0
             ? (guint)MIN (input->shape.dims[1], input->shape.dims[2])
             : ENS_STANDARD_SIZE;
}

/* A layer so many times narrower than the one behind it. */
#define NARROW 8

/* Averaging the map over its positions is what a pooling behind it does already. */
static gboolean
is_pooled_by (const EnsValue *map, const EnsValue *pooled)
{
  const EnsNode *pool = pooled->producer;

  return (ens_node_is (pool, "GlobalAveragePool") || ens_node_is (pool, "AveragePool"))
         && pool->inputs[0] == map;
}

/* Names of the last layers that tell most, up to ENS_DEFAULT_TAPS: those that all of the network
 * passes through, unless `bypassed`, and that are not narrow beside the one behind. */
static void
choose_taps (const EnsGraph *graph, const GArray *layers, gboolean bypassed, GPtrArray *names)
{
  const EnsFeatureLayer *behind = NULL;

  g_ptr_array_set_size (names, 0);
  for (guint i = layers->len; i-- > 0 && names->len < ENS_DEFAULT_TAPS;) {
    const EnsFeatureLayer *layer = &g_array_index (layers, EnsFeatureLayer, i);

    if (ens_node_is_label_function (graph, layer->value->producer)
        || (layer->is_bypassed && !bypassed))
      continue;
    if (behind != NULL
        && (is_pooled_by (layer->value, behind->value)
            || layer->channels <= behind->channels / NARROW))
      continue;
    g_ptr_array_add (names, g_strdup (layer->value->name));
    behind = layer;
  }
}

char **
ens_member_default_taps (const char *path, guint size, GError **error)
{
  EnsShape nominal;
  g_autoptr (EnsGraph) graph = load_network (path, size, FALSE, &nominal, error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) taps = NULL;

  if (graph == NULL)
    return NULL;
  taps = ens_graph_list_feature_layers (graph, &nominal, error);
  if (taps == NULL)
    return NULL;
  choose_taps (graph, taps, FALSE, names);
  if (names->len < 2)
    choose_taps (graph, taps, TRUE, names);
  if (names->len < 2) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s: expected at least two layers to tap, found %u", path, names->len);
    return NULL;
  }
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&names), FALSE);
}
