/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fitting, step by step: what there is, features, classifiers, fusion, the bundle. */
#include "train/fit.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "classify/calibration.h"
#include "classify/fusion.h"
#include "classify/metrics.h"
#include "classify/search.h"
#include "ensemble/bundle-private.h"
#include "ensemble/member-graph.h"
#include "onnx/onnx.h"
#include "train/fit-network.h"

/* Sizes of the method's source, which are for networks of 224. */
static const guint standard_scales[] = {256, 384, 512};

/* A discount after which windows don't count: nothing is left of P3 beside P2. */
#define NO_WINDOWS 16

/* Mean average precision that windows must gain to count for more: less is what one or two images
 * of a validation split decide. */
#define MIN_GAIN 1e-3

typedef struct {
  const EnsFitParams *params;
  EnsDevice *device;
  const EnsMonitor *monitor;
  EnsDataset *dataset;
  EnsBundle *bundle;
  const char **paths; /* of the networks */
  GBytes **contents;  /* of their files, as they go into the bundle */
  EnsFittedNetwork *networks;
  const EnsHead *head;
  double head_options[ENS_HEAD_MAX_OPTIONS]; /* before a network's own are chosen */
} Fit;

static void
fit_clear (Fit *fit)
{
  guint n = fit->params->n_networks;

  for (guint i = 0; i < n; i++) {
    ens_fitted_network_clear (&fit->networks[i]);
    g_clear_pointer (&fit->contents[i], g_bytes_unref);
  }
  g_free (fit->networks);
  g_free (fit->contents);
  g_free (fit->paths);
  ens_bundle_free (fit->bundle);
  ens_dataset_free (fit->dataset);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fit, fit_clear)

/* ---- The networks ---- */

static guint
scale_side (guint side, guint size)
{
  guint scaled = (side * size + ENS_STANDARD_SIZE / 2) / ENS_STANDARD_SIZE;

  return MAX ((scaled + 16) / 32 * 32, 32);
}

static guint *
default_scales (guint size, guint *n)
{
  guint *scales = g_new (guint, G_N_ELEMENTS (standard_scales));

  *n = 0;
  for (guint i = 0; i < G_N_ELEMENTS (standard_scales); i++) {
    guint scale = scale_side (standard_scales[i], size);

    if (*n == 0 || scale > scales[*n - 1])
      scales[(*n)++] = scale;
  }
  return scales;
}

static guint *
copy_sides (const guint *sides, guint n)
{
  return g_memdup2 (sides, n * sizeof *sides);
}

/* The given name, or the file's; numbered where that is taken. (transfer full) */
static char *
choose_name (const EnsFitNetwork *given, const EnsBundle *bundle, guint n)
{
  g_autofree char *base = g_path_get_basename (given->path);
  g_autofree char *name = g_strdup (given->name != NULL ? given->name : base);
  g_autofree char *numbered = NULL;

  if (given->name == NULL && g_str_has_suffix (name, ".onnx"))
    name[strlen (name) - strlen (".onnx")] = 0;
  g_strdelimit (name, G_DIR_SEPARATOR_S, '_');
  for (guint i = 0; i < n; i++)
    if (strcmp (bundle->networks[i].name, name) == 0)
      numbered = g_strdup_printf ("%s-%u", name, n + 1);
  return numbered != NULL ? g_steal_pointer (&numbered) : g_steal_pointer (&name);
}

/* What is given, and what follows for the rest. */
static gboolean
set_up_network (const EnsFitNetwork *given, const EnsBundle *bundle, guint n,
                EnsBundleNetwork *network, GError **error)
{
  network->name = choose_name (given, bundle, n);
  network->role = given->role;
  network->normalise = given->normalise;
  network->framing = given->framing;
  network->window_framing =
      given->window_framing == ENS_FRAMING_SCALE ? ENS_FRAMING_STRETCH : given->window_framing;
  network->crop = given->crop > 0 ? given->crop : 1;
  network->network = g_strconcat (network->name, ".onnx", NULL);
  network->classifier = g_strconcat (network->name, "-classifier.onnx", NULL);
  network->size = given->size > 0 ? given->size : ens_member_standard_size (given->path, error);
  if (network->size == 0)
    return FALSE;
  network->n_scales = given->n_scales;
  network->scales = given->n_scales > 0 ? copy_sides (given->scales, given->n_scales)
                                        : default_scales (network->size, &network->n_scales);
  network->taps = given->taps != NULL ? g_strdupv ((char **)given->taps)
                                      : ens_member_default_taps (given->path, network->size, error);
  if (network->taps == NULL)
    return FALSE;
  if (given->role != ENS_ROLE_RETRAINED || bundle->windows == 0)
    return TRUE;
  network->window_classifier = g_strconcat (network->name, "-windows.onnx", NULL);
  network->n_window_sizes = given->n_window_sizes;
  if (given->n_window_sizes > 0) {
    network->window_sizes = copy_sides (given->window_sizes, given->n_window_sizes);
  } else {
    network->window_sizes = default_scales (network->size, &network->n_window_sizes);
    network->n_window_sizes = 1;
  }
  return TRUE;
}

/* The file as it is, if it has all weights; if others have some, the network written as one file.
 * (transfer full) */
static GBytes *
read_network (const char *path, const EnsMonitor *monitor, GError **error)
{
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (GError) reason = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gboolean complete;
  char *contents;
  gsize size;

  if (!g_file_get_contents (path, &contents, &size, &reason)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't read it: %s", path, reason->message);
    return NULL;
  }
  bytes = g_bytes_new_take (contents, size);
  graph = ens_onnx_import_bytes (bytes, path, NULL, NULL, NULL);
  complete = graph != NULL;
  if (!complete)
    graph = ens_onnx_import (path, NULL, error);
  if (graph == NULL)
    return NULL;
  for (guint i = 0; i < graph->notes->len; i++)
    ens_monitor_note (monitor, "%s: %s", path, (const char *)graph->notes->pdata[i]);
  return complete ? g_steal_pointer (&bytes) : ens_onnx_export_bytes (graph, error);
}

static gboolean
has_role (const EnsFitParams *params, EnsRole role)
{
  for (guint n = 0; n < params->n_networks; n++)
    if (params->networks[n].role == role)
      return TRUE;
  return FALSE;
}

static char *
choose_bundle_name (const EnsFitParams *params)
{
  g_autofree char *canonical = g_canonicalize_filename (params->bundle, NULL);
  char *name = params->name != NULL ? g_strdup (params->name) : g_path_get_basename (canonical);

  if (params->name == NULL && g_str_has_suffix (name, ".ensemble"))
    name[strlen (name) - strlen (".ensemble")] = 0;
  return name;
}

/* A bundle that knows its networks, and nothing learnt yet. */
static gboolean
set_up (Fit *fit, GError **error)
{
  const EnsFitParams *params = fit->params;
  EnsBundle *bundle = fit->bundle = g_new0 (EnsBundle, 1);

  bundle->name = choose_bundle_name (params);
  bundle->version = g_strdup (params->version);
  bundle->classes = g_strdupv (fit->dataset->classes);
  bundle->n_classes = fit->dataset->n_classes;
  bundle->thresholds = g_new0 (float, bundle->n_classes);
  bundle->windows = has_role (params, ENS_ROLE_RETRAINED) ? params->windows : 0;
  bundle->windows_preset = params->windows_preset;
  bundle->networks = g_new0 (EnsBundleNetwork, params->n_networks);
  for (guint n = 0; n < params->n_networks; n++) {
    bundle->n_networks = n + 1;
    fit->paths[n] = params->networks[n].path;
    fit->contents[n] = read_network (fit->paths[n], fit->monitor, error);
    if (fit->contents[n] == NULL
        || !set_up_network (&params->networks[n], bundle, n, &bundle->networks[n], error))
      return FALSE;
  }
  return TRUE;
}

/* A class that no training image is without can't be told from anything. */
static gboolean
check_class (const EnsDataset *dataset, guint class, guint n_with, guint n, GError **error)
{
  if (n_with > 0 && n_with < n)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
               "%s: class “%s”: expected training images with and without it, found %u with and %u "
               "without; add images of another class, or some that show none in a folder “none”",
               dataset->folder, dataset->classes[class], n_with, n - n_with);
  return FALSE;
}

/* Of the images that could be read. */
static gboolean
check_classes (const Fit *fit, const EnsLabels *truth, GError **error)
{
  for (guint c = 0; c < truth->n_classes; c++) {
    guint n = 0;

    for (guint i = 0; i < truth->n_samples; i++)
      n += ens_labels_has (truth, i, c);
    if (!check_class (fit->dataset, c, n, truth->n_samples, error))
      return FALSE;
  }
  return TRUE;
}

/* Of all images, before hours are spent on them. */
static gboolean
check_labels (const EnsDataset *dataset, GError **error)
{
  const GPtrArray *samples = dataset->samples[ENS_SPLIT_TRAIN];

  if (!ens_dataset_require (dataset, ENS_SPLIT_TRAIN, error)
      || !ens_dataset_require (dataset, ENS_SPLIT_VALIDATION, error))
    return FALSE;
  for (guint c = 0; c < dataset->n_classes; c++) {
    guint n = 0;

    for (guint i = 0; i < samples->len; i++)
      n += ((const EnsDatasetItem *)samples->pdata[i])->labels[c] == ENS_LABEL_PRESENT;
    if (!check_class (dataset, c, n, samples->len, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- Features and classifiers ---- */

/* What counts as large are frames larger than the training images. */
static gboolean
set_sub_images (Fit *fit, EnsFitFeatures *features, GError **error)
{
  EnsSubImageSettings *settings = &fit->bundle->sub_images;
  float side;

  if (!ens_fit_features_read_side (features, ENS_SPLIT_TRAIN, &side, error))
    return FALSE;
  *settings = ENS_SUB_IMAGE_DEFAULTS;
  settings->size = MAX ((guint)(side + 0.5F), ENS_MIN_SUB_IMAGE_SIZE);
  return TRUE;
}

static gboolean
fit_networks (Fit *fit, EnsFitFeatures *features, GError **error)
{
  EnsNetworkFit job = {.features = features,
                       .bundle = fit->bundle,
                       .head = fit->head,
                       .pool = ens_device_get_pool (fit->device),
                       .monitor = fit->monitor};

  for (job.index = 0; job.index < fit->bundle->n_networks; job.index++) {
    if (!ens_monitor_progress (fit->monitor, "training classifiers", job.index,
                               fit->bundle->n_networks, error))
      return FALSE;
    memcpy (fit->networks[job.index].options, fit->head_options, sizeof fit->head_options);
    if (!ens_fit_network (&job, &fit->networks[job.index], error))
      return FALSE;
  }
  return ens_monitor_progress (fit->monitor, "training classifiers", job.index, job.index, error);
}

/* ---- Fusion, chosen on the validation split ---- */

/* The networks of a role. */
typedef struct {
  guint n;
  guint index[ENS_MAX_NETWORKS];
  float weights[ENS_MAX_NETWORKS];
} RoleNetworks;

/* Chooses the weights of a role's networks (M1.6) and gives their average on the validation split:
 * P1 or P2, zeroes if there are none. (transfer full) */
static float *
weigh_role (Fit *fit, const EnsLabels *truth, EnsRole role, RoleNetworks *networks)
{
  gsize n_values = (gsize)truth->n_samples * truth->n_classes;
  const float *probabilities[ENS_MAX_NETWORKS];
  float *average = g_new (float, n_values);

  *networks = (RoleNetworks) {0};
  for (guint n = 0; n < fit->bundle->n_networks; n++) {
    if (fit->bundle->networks[n].role != role)
      continue;
    probabilities[networks->n] = fit->networks[n].probabilities;
    networks->index[networks->n++] = n;
  }
  if (networks->n > 0)
    ens_search_network_weights (truth, probabilities, networks->n, networks->weights);
  for (guint i = 0; i < networks->n; i++)
    fit->bundle->networks[networks->index[i]].weight = networks->weights[i];
  ens_fusion_average (probabilities, networks->weights, networks->n, n_values, average);
  return average;
}

/* P3 of one image (M1.7): its windows' probabilities, averaged over networks, their maximum taken;
 * decision values are lowered by `discount` after scaling by a. */
static void
fuse_windows (const Fit *fit, const RoleNetworks *networks, guint image, float discount, float *p3)
{
  const guint n_classes = fit->bundle->n_classes;
  const guint *first = &fit->networks[networks->index[0]].window_first[image];
  guint n_windows = first[1] - first[0];
  g_autofree float *average = g_new0 (float, (gsize)n_windows *n_classes);
  g_autofree gint *best = g_new (gint, n_classes);

  for (guint i = 0; i < networks->n; i++) {
    const EnsFittedNetwork *fitted = &fit->networks[networks->index[i]];
    const EnsCalibration *calibration =
        fit->bundle->networks[networks->index[i]].window_calibration;
    const float *decisions = &fitted->window_decisions[(gsize)first[0] * n_classes];

    for (guint v = 0; v < n_windows * n_classes; v++) {
      EnsCalibration lowered = calibration[v % n_classes];

      lowered.b -= discount;
      average[v] += networks->weights[i] * ens_calibration_apply (&lowered, decisions[v]);
    }
  }
  ens_fusion_maximum (average, n_windows, n_classes, p3, best);
}

/* From windows that don't count to windows that count fully, as far as each step is worth it:
 * chooses w and the windows' discount together (M1.8), puts the discount into the windows'
 * calibrations, and gives P3. (transfer full) */
static float *
weigh_windows (Fit *fit, const EnsLabels *truth, const RoleNetworks *retrained, const float *p1,
               const float *p2)
{
  static const float discounts[] = {NO_WINDOWS, 4, 3, 2, 1.5F, 1, 0.5F, 0};
  gsize n_values = (gsize)truth->n_samples * truth->n_classes;
  g_autofree float *p3 = g_new (float, n_values);
  g_autofree float *best_p3 = g_new (float, n_values);
  float best_discount = 0;
  double best = -1;

  for (guint d = 0; d < G_N_ELEMENTS (discounts); d++) {
    double precision;
    float w;

    for (guint i = 0; i < truth->n_samples; i++)
      fuse_windows (fit, retrained, i, discounts[d], &p3[(gsize)i * truth->n_classes]);
    precision = ens_search_fusion_weight (truth, p1, p2, p3, &w);
    if (!(precision > best + MIN_GAIN))
      continue;
    best = precision;
    best_discount = discounts[d];
    fit->bundle->window_weight = w;
    memcpy (best_p3, p3, n_values * sizeof *p3);
  }
  for (guint i = 0; i < retrained->n; i++)
    for (guint c = 0; c < truth->n_classes; c++)
      fit->bundle->networks[retrained->index[i]].window_calibration[c].b -= best_discount;
  if (best_discount == NO_WINDOWS)
    ens_monitor_note (fit->monitor, "windows (region proposals) don't help on the validation "
                                    "images; they are classified, but their "
                                    "probabilities are too low to count");
  return g_steal_pointer (&best_p3);
}

/* (transfer full) */
static float *
combine (const EnsLabels *truth, const float *p1, const float *p2, const float *p3, float w)
{
  gsize n_values = (gsize)truth->n_samples * truth->n_classes;
  float *p = g_new (float, n_values);

  for (gsize i = 0; i < n_values; i++)
    p[i] = ens_fusion_combine (p1[i], p2[i], p3 != NULL ? p3[i] : 0, w);
  return p;
}

/* Weights of networks, w with and without windows, thresholds; and how all that does. */
static EnsEvaluation *
fit_fusion (Fit *fit, const EnsLabels *truth, guint n_broken)
{
  EnsBundle *bundle = fit->bundle;
  RoleNetworks original, retrained;
  g_autofree float *p2 = weigh_role (fit, truth, ENS_ROLE_ORIGINAL, &original);
  g_autofree float *p1 = weigh_role (fit, truth, ENS_ROLE_RETRAINED, &retrained);
  g_autofree float *p3 = NULL, *without = NULL, *with = NULL;
  EnsEvaluation *evaluation;

  if (original.n > 0 && retrained.n > 0)
    ens_search_fusion_weight (truth, p1, p2, NULL, &bundle->whole_weight);
  else
    bundle->whole_weight = retrained.n > 0 ? 1 : 0;
  without = combine (truth, p1, p2, NULL, bundle->whole_weight);
  if (bundle->windows > 0) {
    p3 = weigh_windows (fit, truth, &retrained, p1, p2);
    with = combine (truth, p1, p2, p3, bundle->window_weight);
  } else {
    bundle->window_weight = bundle->whole_weight;
  }
  for (guint c = 0; c < bundle->n_classes; c++)
    bundle->thresholds[c] = ens_best_threshold (truth, with != NULL ? with : without, c);

  evaluation = ens_evaluation_new (bundle->name, ens_split_name (ENS_SPLIT_VALIDATION),
                                   (const char *const *)bundle->classes, truth, n_broken);
  for (guint n = 0; n < bundle->n_networks; n++)
    ens_evaluation_add (evaluation, bundle->networks[n].name, truth, fit->networks[n].probabilities,
                        NULL);
  ens_evaluation_add (evaluation, ENS_EVALUATION_WITHOUT_WINDOWS, truth, without,
                      bundle->thresholds);
  if (with != NULL)
    ens_evaluation_add (evaluation, ENS_EVALUATION_WITH_WINDOWS, truth, with, bundle->thresholds);
  return evaluation;
}

/* ---- The bundle ---- */

static void
write_figures (EnsJson *json, const EnsEvaluation *evaluation)
{
  ens_json_open_array (json, "validation", ENS_JSON_FLAT);
  for (guint r = 0; r < evaluation->n_rows; r++) {
    ens_json_open_object (json, NULL, ENS_JSON_FLAT);
    ens_json_string (json, "name", evaluation->rows[r].name);
    ens_json_double (json, "mean_average_precision", evaluation->rows[r].mean_average_precision);
    ens_json_double (json, "accuracy", evaluation->rows[r].accuracy);
    ens_json_close (json);
  }
  ens_json_close (json);
}

/* The head's options, each with its value for every network. */
static void
write_options (EnsJson *json, const Fit *fit)
{
  for (guint i = 0; fit->head->options[i].name != NULL; i++) {
    ens_json_open_object (json, fit->head->options[i].name, ENS_JSON_FLAT);
    for (guint n = 0; n < fit->bundle->n_networks; n++)
      ens_json_double (json, fit->bundle->networks[n].name, fit->networks[n].options[i]);
    ens_json_close (json);
  }
}

/* No time and no absolute path, so that the same input makes the same bundle. (transfer full) */
static char *
describe_origin (const Fit *fit, const EnsFitFeatures *features, const EnsEvaluation *evaluation)
{
  g_autofree char *canonical = g_canonicalize_filename (fit->params->dataset, NULL);
  g_autofree char *dataset = g_path_get_basename (canonical);
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "dataset", dataset);
  for (guint s = ENS_SPLIT_TRAIN; s <= ENS_SPLIT_VALIDATION; s++) {
    g_autofree char *images = g_strconcat (ens_split_name (s), "_images", NULL);
    g_autofree char *broken = g_strconcat (ens_split_name (s), "_skipped", NULL);

    ens_json_unsigned (&json, images, ens_fit_features_get_truth (features, s)->n_samples);
    ens_json_unsigned (&json, broken, ens_fit_features_get_n_broken (features, s));
  }
  write_options (&json, fit);
  write_figures (&json, evaluation);
  ens_json_close (&json);
  return ens_json_finish (&json);
}

static gboolean
add_classifier (EnsBundleWriter *writer, const char *name, const EnsGraph *graph, GError **error)
{
  g_autoptr (GBytes) bytes = ens_onnx_export_bytes (graph, error);

  return bytes != NULL && ens_bundle_writer_add (writer, name, bytes, error);
}

static gboolean
write_bundle (Fit *fit, GError **error)
{
  const EnsBundle *bundle = fit->bundle;
  g_autoptr (EnsBundleWriter) writer = ens_bundle_writer_new (fit->params->bundle, error);

  if (writer == NULL)
    return FALSE;
  for (guint n = 0; n < bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &bundle->networks[n];

    if (!ens_bundle_writer_add (writer, network->network, fit->contents[n], error)
        || !add_classifier (writer, network->classifier, fit->networks[n].graphs.images, error)
        || (network->window_classifier != NULL
            && !add_classifier (writer, network->window_classifier, fit->networks[n].graphs.windows,
                                error)))
      return FALSE;
  }
  return ens_bundle_writer_commit (writer, bundle, error);
}

/* ---- All of it ---- */

static gboolean
load_dataset (Fit *fit, GError **error)
{
  fit->dataset = ens_dataset_load (fit->params->dataset, NULL, error);
  if (fit->dataset == NULL)
    return FALSE;
  ens_dataset_tell (fit->dataset, fit->monitor);
  return check_labels (fit->dataset, error);
}

/* While the stores of this training are open, and so stay. */
static void
prune_cache (const Fit *fit, const char *cache)
{
  const double mebibyte = 1 << 20;
  EnsFeatureCachePruned pruned;

  if (fit->params->cache_limit < 0)
    return;
  pruned = ens_feature_cache_prune (cache, (guint64)fit->params->cache_limit);
  if (pruned.n > 0)
    ens_monitor_note (fit->monitor,
                      "%s: removed features of other trainings, %.0f MiB, the least recently used "
                      "first: the cache may hold %.0f MiB",
                      cache, (double)pruned.size / mebibyte,
                      (double)fit->params->cache_limit / mebibyte);
}

EnsEvaluation *
ens_fit (const EnsFitParams *params, EnsDevice *device, const EnsFrameOpener *opener,
         const EnsMonitor *monitor, GError **error)
{
  g_autofree char *cache = NULL;
  g_auto (Fit) fit = {.params = params, .device = device, .monitor = monitor};
  g_autoptr (EnsFitFeatures) features = NULL;
  g_autoptr (EnsEvaluation) evaluation = NULL;
  EnsFitSource source;

  g_return_val_if_fail (params->n_networks > 0 && params->n_networks <= ENS_MAX_NETWORKS, NULL);

  fit.paths = g_new0 (const char *, params->n_networks);
  fit.contents = g_new0 (GBytes *, params->n_networks);
  fit.networks = g_new0 (EnsFittedNetwork, params->n_networks);
  fit.head = ens_head_parse (params->head, fit.head_options, error);
  if (fit.head == NULL || !ens_bundle_check_target (params->bundle, error)
      || !load_dataset (&fit, error) || !set_up (&fit, error))
    return NULL;
  cache = params->cache != NULL
              ? g_strdup (params->cache)
              : g_build_filename (g_get_user_cache_dir (), "gst-ensemble", "features", NULL);
  source = (EnsFitSource) {fit.bundle, fit.paths, fit.contents, cache, device};
  features = ens_fit_features_new (&source, error);
  if (features == NULL || !ens_fit_features_fill (features, fit.dataset, opener, monitor, error))
    return NULL;
  prune_cache (&fit, cache);
  if (!check_classes (&fit, ens_fit_features_get_truth (features, ENS_SPLIT_TRAIN), error)
      || !set_sub_images (&fit, features, error) || !fit_networks (&fit, features, error))
    return NULL;
  evaluation = fit_fusion (&fit, ens_fit_features_get_truth (features, ENS_SPLIT_VALIDATION),
                           ens_fit_features_get_n_broken (features, ENS_SPLIT_VALIDATION));
  fit.bundle->provenance = describe_origin (&fit, features, evaluation);
  return write_bundle (&fit, error) ? g_steal_pointer (&evaluation) : NULL;
}
