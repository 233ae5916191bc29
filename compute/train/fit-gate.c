/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate of a bundle that is being made (M2). */
#include <math.h>
#include <string.h>

#include "ensemble/member-graph.h"
#include "graph/infer.h"
#include "onnx/onnx.h"
#include "train/fit-private.h"

#define GATE_FILE "gate.onnx"

gboolean
ens_fit_prepare_gate (EnsFit *fit, GError **error)
{
  double width;

  if (!ens_gate_parse (fit->params->gate, &fit->gate_settings, error))
    return FALSE;
  width = fit->gate_settings.options[ENS_GATE_WIDTH];
  if (width == 0 || width >= fit->dataset->n_classes)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "gate: width: expected a value for each of the %u classes at least, found %g",
               fit->dataset->n_classes, width);
  return FALSE;
}

gboolean
ens_fit_fill_unrelated (EnsFit *fit, EnsFitFeatures *features, const EnsFrameOpener *opener,
                        GError **error)
{
  if (fit->gate_settings.off || fit->params->unrelated == NULL)
    return TRUE;
  fit->unrelated = ens_dataset_load_unrelated (fit->params->unrelated,
                                               (const char *const *)fit->bundle->classes, error);
  if (fit->unrelated == NULL)
    return FALSE;
  ens_dataset_tell (fit->unrelated, fit->monitor);
  return ens_fit_features_fill_unrelated (features, fit->unrelated, opener, fit->monitor, error);
}

/* Retrained networks may have the gate, which then judges windows too; without any, original ones.
 */
static gboolean
may_have_gate (const EnsBundle *bundle, guint n)
{
  gboolean any_retrained = FALSE;

  for (guint i = 0; i < bundle->n_networks; i++)
    any_retrained |= bundle->networks[i].role == ENS_ROLE_RETRAINED;
  return !any_retrained || bundle->networks[n].role == ENS_ROLE_RETRAINED;
}

/* ---- Which features ---- */

/* Length of the vector that a tap gives; 0 if that can't be told. */
static guint
measure_tap (const EnsGraph *inferred, const char *tap)
{
  const EnsValue *value = ens_graph_find (inferred, tap);

  return value != NULL && value->shape.rank > 1 && value->shape.dims[value->shape.rank - 1] > 0
             ? (guint)value->shape.dims[value->shape.rank - 1]
             : 0;
}

/* With the shapes of images of its standard size. (transfer full) */
static EnsGraph *
infer_network (const EnsFit *fit, guint n)
{
  const EnsBundleNetwork *network = &fit->bundle->networks[n];
  const EnsShape shape =
      ENS_SHAPE (1, network->size, network->size, ens_order_channels (network->normalise.order));
  g_autoptr (EnsGraph) graph =
      ens_onnx_import (fit->paths[n], &(EnsOnnxOptions) {.nominal_size = network->size}, NULL);

  return graph != NULL && ens_infer_graph (graph, &shape, NULL) ? g_steal_pointer (&graph) : NULL;
}

/* The features before the label layer: the tap that is so by default, if the network has it among
 * its own, and which that is. Else all features, and NULL. */
static const char *
choose_features (const EnsFit *fit, guint n, EnsGateTask *task)
{
  const EnsBundleNetwork *network = &fit->bundle->networks[n];
  g_auto (GStrv) defaults = ens_member_default_taps (fit->paths[n], network->size, NULL);
  g_autoptr (EnsGraph) graph = infer_network (fit, n);
  guint first = 0;

  task->first = 0;
  task->length = task->examples.n_features;
  for (char **tap = network->taps; graph != NULL && defaults != NULL && *tap != NULL; tap++) {
    guint length = measure_tap (graph, *tap);

    if (length == 0 || first + length > task->examples.n_features)
      return NULL;
    if (strcmp (*tap, defaults[1]) == 0) {
      task->first = first;
      task->length = length;
      return *tap;
    }
    first += length;
  }
  return NULL;
}

/* (transfer full) */
static EnsOwnRows *
find_own_rows (const EnsFit *fit, guint n, const char *tap, guint length)
{
  const EnsBundleNetwork *network = &fit->bundle->networks[n];
  const EnsOwnRowsQuery query = {fit->paths[n], network->size, tap, length,
                                 (const char *const *)fit->bundle->classes};
  EnsOwnRows *rows = tap != NULL ? ens_own_rows_find (&query) : NULL;

  if (rows != NULL)
    ens_monitor_note (fit->monitor,
                      "gate: the label layer begins with “%s”'s own weights of %u of %u classes",
                      network->name, rows->n, fit->bundle->n_classes);
  return rows;
}

/* ---- Which images ---- */

/* Images of the training split, and then those of the validation split. */
typedef struct {
  float *features, *unrelated;
  guint8 *labels;
} Images;

static void
images_clear (Images *images)
{
  g_free (images->features);
  g_free (images->unrelated);
  g_free (images->labels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Images, images_clear)

/* (transfer full) */
static gpointer
join (gconstpointer first, gsize first_size, gconstpointer second, gsize second_size)
{
  char *joined = g_malloc (first_size + second_size);

  memcpy (joined, first, first_size);
  memcpy (joined + first_size, second, second_size);
  return joined;
}

static gboolean
read_images (EnsFitFeatures *features, guint n, Images *images, EnsGateTask *task, GError **error)
{
  const EnsLabels *train = ens_fit_features_get_truth (features, ENS_SPLIT_TRAIN);
  const EnsLabels *validation = ens_fit_features_get_truth (features, ENS_SPLIT_VALIDATION);
  guint length = ens_fit_features_get_length (features, n);
  gsize row = length * sizeof (float);
  g_autofree float *first = NULL, *second = NULL;

  first = ens_fit_features_read_whole (features, n, ENS_SPLIT_TRAIN, error);
  second =
      first != NULL ? ens_fit_features_read_whole (features, n, ENS_SPLIT_VALIDATION, error) : NULL;
  images->unrelated =
      second != NULL ? ens_fit_features_read_whole (features, n, ENS_FIT_UNRELATED, error) : NULL;
  task->n_unrelated = ens_fit_features_get_truth (features, ENS_FIT_UNRELATED)->n_samples;
  if (second == NULL || (images->unrelated == NULL && task->n_unrelated > 0))
    return FALSE;
  images->features = join (first, train->n_samples * row, second, validation->n_samples * row);
  images->labels = join (train->labels, (gsize)train->n_samples * train->n_classes,
                         validation->labels, (gsize)validation->n_samples * train->n_classes);
  task->unrelated = images->unrelated;
  task->examples =
      (EnsExamples) {{train->n_samples + validation->n_samples, train->n_classes, images->labels},
                     length,
                     images->features};
  return TRUE;
}

/* ---- What comes of it ---- */

/* Whose features are compared, and how many. */
typedef struct {
  guint network, length;
} Best;

static void
note_choice (const EnsFit *fit, const EnsFittedGate *gate, guint length)
{
  g_autoptr (GString) why = g_string_new (NULL);

  for (guint k = 0; k < gate->n_figures; k++) {
    const EnsGateFigure *figure = &gate->figures[k];

    if (strcmp (figure->kind, gate->kind) != 0)
      continue;
    if (!isnan (figure->left_out))
      g_string_append_printf (why, ", %.3f with classes left out", figure->left_out);
    if (!isnan (figure->unrelated))
      g_string_append_printf (why, ", %.3f with %u unrelated images", figure->unrelated,
                              gate->n_unrelated);
  }
  ens_monitor_note (fit->monitor, "gate: %s of %u features of “%s” %s (AUROC%s)", gate->kind,
                    length, fit->bundle->gate->network,
                    fit->gate_settings.kind != NULL ? "as asked for"
                                                    : "tells known images from others best",
                    why->len > 0 ? why->str + 1 : ": nothing to measure it by");
  if (isnan (gate->figures[0].unrelated))
    ens_monitor_note (fit->monitor,
                      "gate: there are no unrelated images to choose it by; pictures of what the "
                      "camera sees besides the classes, in a class folder “none” or in a folder of "
                      "their own (--unrelated), would make the choice better");
}

static void
note_classes (const EnsFit *fit, const EnsFittedGate *gate)
{
  for (guint c = 0; c < fit->bundle->n_classes; c++)
    if (isnan (gate->ranges[c].low))
      ens_monitor_note (fit->monitor,
                        "gate: “%s” has fewer than %u images and is reported whatever the image "
                        "resembles",
                        fit->bundle->classes[c], ENS_GATE_MIN_IMAGES);
  if (!gate->layer.reached && g_str_has_prefix (gate->kind, "label-"))
    ens_monitor_note (fit->monitor,
                      "gate: the label layer's loss, %.3g, is not in the range %g to "
                      "%g after %u rounds",
                      gate->layer.loss, fit->gate_settings.options[ENS_GATE_LOSS_LOW],
                      fit->gate_settings.options[ENS_GATE_LOSS_HIGH], gate->layer.rounds);
}

static void
store_gate (EnsFit *fit, guint n)
{
  const EnsFittedGate *gate = &fit->gate;
  EnsBundleGate *stored = fit->bundle->gate = g_new0 (EnsBundleGate, 1);

  stored->network = g_strdup (fit->bundle->networks[n].name);
  stored->file = g_strdup (GATE_FILE);
  stored->kind = g_strdup (gate->kind);
  stored->keep = (float)fit->gate_settings.options[ENS_GATE_KEEP];
  stored->ranges = g_memdup2 (gate->ranges, fit->bundle->n_classes * sizeof *gate->ranges);
}

static void
store_figures (const EnsFittedGate *gate, EnsEvaluation *evaluation)
{
  evaluation->gate_kind = g_strdup (gate->kind);
  evaluation->gate_figures = g_memdup2 (gate->figures, gate->n_figures * sizeof *gate->figures);
  evaluation->n_gate_figures = gate->n_figures;
  evaluation->n_unrelated = gate->n_unrelated;
}

/* The figure of the kind that was chosen; −1: it can't be measured. */
static double
get_mean (const EnsFittedGate *gate)
{
  for (guint k = 0; k < gate->n_figures; k++)
    if (strcmp (gate->figures[k].kind, gate->kind) == 0 && !isnan (gate->figures[k].mean))
      return gate->figures[k].mean;
  return -1;
}

/* A gate of this network, if it is better than the one there is. */
static gboolean
try_network (EnsFit *fit, EnsFitFeatures *features, guint n, Best *best, GError **error)
{
  EnsGateTask task = {.settings = &fit->gate_settings, .device = fit->device};
  g_auto (EnsFittedGate) gate = {0};
  g_auto (Images) images = {0};
  g_autoptr (EnsOwnRows) own_rows = NULL;
  const char *tap;

  if (!read_images (features, n, &images, &task, error))
    return FALSE;
  tap = choose_features (fit, n, &task);
  task.own_rows = own_rows = find_own_rows (fit, n, tap, task.length);
  if (!ens_gate_learn (&task, &gate, error))
    return FALSE;
  if (fit->gate.graph != NULL && !(get_mean (&gate) > get_mean (&fit->gate)))
    return TRUE;
  ens_fitted_gate_clear (&fit->gate);
  fit->gate = gate;
  gate = (EnsFittedGate) {0};
  *best = (Best) {n, task.length};
  return TRUE;
}

gboolean
ens_fit_gate (EnsFit *fit, EnsFitFeatures *features, EnsEvaluation *evaluation, GError **error)
{
  static const char stage[] = "choosing a gate";
  guint n_networks = fit->bundle->n_networks;
  Best best = {0};

  if (fit->gate_settings.off)
    return TRUE;
  for (guint n = 0; n < n_networks; n++)
    if (!ens_monitor_progress (fit->monitor, stage, n, n_networks, error)
        || (may_have_gate (fit->bundle, n) && !try_network (fit, features, n, &best, error)))
      return FALSE;
  store_gate (fit, best.network);
  store_figures (&fit->gate, evaluation);
  note_choice (fit, &fit->gate, best.length);
  note_classes (fit, &fit->gate);
  return ens_monitor_progress (fit->monitor, stage, n_networks, n_networks, error);
}
