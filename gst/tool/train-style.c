/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "decode.h"
#include "ensemble/bundle.h"
#include "ensemble/style.h"
#include "monitor.h"
#include "network-list.h"
#include "report/report.h"
#include "report/styles.h"
#include "train/loop-history.h"
#include "train/style-measure.h"
#include "train/train-style.h"
#include "table.h"
#include "training-options.h"

typedef struct {
  ToolTraining training;
  char *from, *to, *model, *network, *sizes, *losses, *start, *adversarial, *test, *report;
  gint crop, crops;
  gboolean position;
} Options;

static gboolean
require (const char *value, const char *message, GError **error)
{
  if (value == NULL)
    g_set_error (error, TOOL_ERROR_USAGE, 0, "%s", message);
  return value != NULL;
}

static gboolean
set_sizes (const char *text, EnsStyleTraining *params, GError **error)
{
  g_autofree guint *sizes = NULL;
  guint n = 0;

  if (!tool_parse_sizes (text, "--sizes", &sizes, &n, error))
    return FALSE;
  if (n > 2) {
    g_set_error (error, TOOL_ERROR_USAGE, 0,
                 "--sizes expects one size, or those of A's and B's pictures, got “%s”", text);
    return FALSE;
  }
  if (n > 0)
    params->from_size = sizes[0];
  if (n > 0)
    params->to_size = sizes[n - 1];
  return TRUE;
}

static gboolean
set_losses (const char *text, EnsStyleTraining *params, GError **error)
{
  char *end = NULL;

  if (text == NULL)
    return TRUE;
  params->cycle = g_ascii_strtod (text, &end);
  if (end != text && *end == ',') {
    const char *second = end + 1;

    params->identity = g_ascii_strtod (second, &end);
    if (end != second && *end == '\0' && params->cycle >= 0 && params->identity >= 0)
      return TRUE;
  }
  g_set_error (error, TOOL_ERROR_USAGE, 0,
               "--losses expects two numbers from 0 on, such as 10,0; got “%s”", text);
  return FALSE;
}

/* Whole pictures are not as small as squares may be. */
static gint
find_crop (const Options *options)
{
  return options->crop != G_MININT ? options->crop : options->position ? 128 : 40;
}

static gboolean
set_params (const Options *options, EnsStyleTraining *params, GError **error)
{
  guint adversarial = params->adversarial, start = params->start;

  if (!require (options->from, "--from=FOLDER is needed: pictures of the camera to adapt", error)
      || !require (options->to,
                   "--to=FOLDER is needed: pictures of the camera that the classifier knows", error)
      || !tool_training_set (&options->training, options->from, &params->recipe, error)
      || !tool_check_least ("--crop", find_crop (options), 1, error)
      || !tool_check_least ("--crops", options->crops, 1, error)
      || !tool_parse_choice ("--adversarial", options->adversarial, ens_adversarial_names,
                             &adversarial, error)
      || !tool_parse_choice ("--start", options->start, ens_style_start_names, &start, error)
      || !set_sizes (options->sizes, params, error) || !set_losses (options->losses, params, error)
      || (options->report != NULL && !tool_report_check (options->report, error)))
    return FALSE;
  if (options->test != NULL && !require (options->model, "--test needs --model=BUNDLE", error))
    return FALSE;
  params->to = options->to;
  params->adversarial = (EnsAdversarial)adversarial;
  params->start = (EnsStyleStart)start;
  params->crop = (guint)find_crop (options);
  params->crops = (guint)options->crops;
  params->position = options->position;
  return TRUE;
}

static void
print_result (const EnsStyleTraining *params, const EnsStyleResult *result)
{
  g_print ("%u pictures of %s, %u of %s; discriminators see %u features", result->recipe.n_images,
           params->recipe.dataset, result->n_images, params->to, result->n_features);
  if (result->layer != NULL)
    g_print (", those of the layer “%s” among them", result->layer);
  g_print ("\n\n%s\n", params->recipe.output);
}

/* The classifier that discriminators look through, and where the style goes. */
typedef struct {
  ToolNetworks *networks;
  EnsBundle *bundle;
  char *network, *output;
} Place;

static void
place_clear (Place *place)
{
  g_clear_pointer (&place->networks, tool_networks_free);
  g_clear_pointer (&place->bundle, ens_bundle_free);
  g_free (place->network);
  g_free (place->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static gboolean
use_network (const char *text, Place *place, EnsStyleTraining *params, GError **error)
{
  const EnsFitNetwork *network;
  guint n;

  place->networks = tool_networks_new ();
  if (!tool_networks_add (place->networks, text, error)
      || !tool_networks_complete (place->networks, error))
    return FALSE;
  network = tool_networks_get (place->networks, &n);
  params->network = network->path;
  params->normalise = network->normalise;
  return TRUE;
}

/* The bundle's first network that knows the classes, or its first one; styles/NAME.onnx in it. */
static gboolean
use_bundle (const char *folder, Place *place, EnsStyleTraining *params, GError **error)
{
  g_autofree char *name = g_path_get_basename (params->recipe.output);
  g_autofree char *file = g_str_has_suffix (name, ENS_STYLE_ENDING)
                              ? g_strdup (name)
                              : g_strconcat (name, ENS_STYLE_ENDING, NULL);
  const EnsBundleNetwork *network;
  EnsRoleNetworks retrained;

  place->bundle = ens_bundle_load (folder, error);
  if (place->bundle == NULL)
    return FALSE;
  retrained = ens_bundle_list_role (place->bundle, ENS_ROLE_RETRAINED);
  network = &place->bundle->networks[retrained.n > 0 ? retrained.index[0] : 0];
  place->output = g_build_filename (folder, ENS_STYLE_FOLDER, file, NULL);
  params->recipe.output = place->output;
  if (params->network != NULL)
    return TRUE;
  place->network = g_build_filename (folder, network->network, NULL);
  params->network = place->network;
  params->normalise = network->normalise;
  return TRUE;
}

/* Unlabelled pictures have no accuracies, and networks without batch normalisation none of AdaBN.
 */
static void
print_figures (const EnsStyleMeasure *measure)
{
  const gboolean labelled = !isnan (measure->figures[ENS_STYLE_NOTHING].accuracy);
  g_autoptr (ToolTable) table = tool_table_new ("pictures of A|>distance to B|>accuracy");
  g_autofree char *judgement = tool_style_judge (measure);

  for (guint m = 0; m < ENS_STYLE_N_METHODS; m++) {
    const EnsStyleFigure *figure = &measure->figures[m];

    if (isnan (figure->distance) && !labelled)
      continue;
    tool_table_row (table);
    tool_table_cell (table, "%s", ens_style_method_names[m]);
    if (isnan (figure->distance))
      tool_table_cell (table, "–");
    else
      tool_table_cell (table, "%.2f", figure->distance);
    if (!labelled)
      continue;
    if (isnan (figure->accuracy))
      tool_table_cell (table, "–");
    else
      tool_table_cell (table, "%.1f %%", 100 * figure->accuracy);
  }
  tool_table_print (table);
  g_print ("%s\n", judgement);
}

/* Pictures of a report. */
#define N_CARDS 6

/* What is simpler, beside the style; and the report. */
static gboolean
compare (const Options *options, const EnsStyleTraining *params, const EnsStyleResult *result,
         EnsDevice *device, GError **error)
{
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  g_autoptr (ToolMonitor) monitor = tool_monitor_new ();
  g_autofree char *log = ens_recipe_name_log (&params->recipe);
  g_autoptr (GArray) history = ens_loop_read_history (log, error);
  const EnsStyleMeasureParams what = {params, options->model, options->test, N_CARDS};
  g_auto (EnsStyleMeasure) measure = {.simple = ENS_STYLE_NOTHING};

  if (history == NULL
      || !ens_style_measure (&what, device, gst_ensemble_decoder_get_opener (decoder),
                             tool_monitor_get (monitor), &measure, error))
    return FALSE;
  g_clear_pointer (&monitor, tool_monitor_free);
  print_figures (&measure);
  if (options->report == NULL)
    return TRUE;
  if (!tool_style_write (&(ToolStyle) {params, result, history, &measure}, options->report, error))
    return FALSE;
  g_print ("\n%s\n", options->report);
  return TRUE;
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  EnsStyleTraining params = ENS_STYLE_TRAINING_DEFAULTS;
  g_auto (Place) place = {NULL};
  g_autoptr (GstEnsembleDecoder) decoder = NULL;
  g_autoptr (ToolMonitor) monitor = NULL;
  g_autoptr (EnsDevice) device = NULL;
  EnsStyleResult result;

  if (!set_params (options, &params, error)
      || (options->network != NULL && !use_network (options->network, &place, &params, error))
      || (options->model != NULL && !use_bundle (options->model, &place, &params, error)))
    return FALSE;
  device = tool_training_open_device (&options->training, error);
  if (device == NULL)
    return FALSE;
  decoder = gst_ensemble_decoder_new ();
  monitor = tool_monitor_new ();
  if (!ens_train_style (&params, device, gst_ensemble_decoder_get_opener (decoder),
                        tool_monitor_get (monitor), &result, error))
    return FALSE;
  g_clear_pointer (&monitor, tool_monitor_free);
  print_result (&params, &result);
  return compare (options, &params, &result, device, error);
}

static const ToolOption option_table[] = {
    {"from", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, from), "FOLDER",
     "Pictures of camera A, which are to be adapted", "/"},
    {"to", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, to), "FOLDER",
     "Pictures of camera B, which the classifier knows", "/"},
    {"model", 'm', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, model), "BUNDLE",
     "Its classifier is used, and the result goes into it", "/"},
    {"network", 'n', G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, network), "FILE[,…]",
     "A classifier to look at pictures with, as for train", "*.onnx"},
    {"sizes", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, sizes), "N[,N]",
     "Shorter sides of A's and B's pictures (256)"},
    {"crop", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, crop), "N",
     "Side of squares cut out (40; with --position 128)"},
    {"crops", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, crops), "N",
     "Of each picture in an epoch (4)"},
    {"position", 0, G_OPTION_ARG_NONE, G_STRUCT_OFFSET (Options, position), NULL,
     "Learn vignetting: whole pictures instead of squares"},
    {"start", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, start), "NAME",
     "What is learnt on top of: means or nothing (means)", "means nothing"},
    {"adversarial", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, adversarial), "NAME",
     "Loss: least-squares or logistic (least-squares)", "least-squares logistic"},
    {"losses", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, losses), "N,N",
     "Weights of the cycle and the identity loss (10,0)"},
    {"test", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, test), "DATASET",
     "Labelled pictures of A: what --model says of them", "/"},
    {"report", 'r', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, report), "FILE.html",
     "Write a self-contained HTML report", "*.html"},
    TOOL_TRAINING_COMMON_OPTIONS (Options, "10", "0.0002", "4"),
    TOOL_OPTION_END,
};

const ToolCommand tool_train_style = {
    .name = "train-style",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "Learn to give one camera's pictures the look of another's",
    .manual =
        "An ensemble knows the camera whose pictures it was trained on, B. A style adapts the "
        "pictures of another one, A, before they are classified: ensembleclassify style=NAME, "
        "classify --style, evaluate --style. It is learnt from pictures of both cameras, without "
        "labels and without pairs; the folders may have folders in them. A network adds to a "
        "picture what makes it look like B's, another one the way back, and two discriminators "
        "learn to tell them from real ones.\n\n"
        "Pictures are scaled to a shorter side of 256 pixels, and squares are cut out of them. "
        "Where objects are larger in one camera's pictures than in the other's, --sizes makes "
        "them alike: else the discriminators learn the scale, which a style can't change. With "
        "--position whole pictures are seen, their shorter side as long as --crop: the style "
        "then knows where a pixel lies, as vignetting wants.\n\n"
        "What is learnt is added to the change of each channel that gives A's pictures the mean "
        "and "
        "variance of B's, unless --start=nothing. The cycle loss asks that another network can "
        "undo "
        "the style: where A is noisy or blurred, which nothing can imitate, a lower weight lets "
        "more be removed (--losses=1,0).\n\n"
        "Discriminators see the pictures, their high frequencies and the first layers of a "
        "classifier, that of --model or --network. With --model the style goes into the bundle, "
        "as styles/NAME.onnx.\n\n"
        "In the end simpler methods are put beside it: means and variances of channels matched, "
        "amplitudes of low frequencies exchanged (FDA), and with --test batch normalisation "
        "measured again (AdaBN). A sentence says whether one of them suffices: by the accuracy "
        "of --model on the labelled pictures of --test, or without labels by how near features "
        "come to camera B's. Labels play no part in training. The report shows pictures.\n\n"
        "FILE.checkpoint keeps the state of the training, as for retrain, and FILE.jsonl is the "
        "log: one JSON object per epoch and per ten steps, with each term of the losses.\n\n"
        "  gst-ensemble-1.0 train-style --from old-camera --to photos/train \\\n"
        "    -m site.ensemble -o old-camera.onnx\n"
        "  gst-ensemble-1.0 classify -m site.ensemble --style old-camera a.jpg",
    .options = option_table,
    .options_size = sizeof (Options),
    .defaults =
        &(const Options) {.training = {.epochs = G_MININT, .batch = G_MININT, .average = 0.999},
                          .crop = G_MININT,
                          .crops = 4},
    .run = run,
};
