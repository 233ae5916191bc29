/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "retrain.h"

#include "decode.h"
#include "monitor.h"
#include "network-list.h"
#include "report/report.h"
#include "training-options.h"

typedef struct {
  ToolTraining training;
  char *network, *one_class, *freeze, *coverage, *augment, *sub_images, *report;
  gint sub_image_size;
  double positive_weight;
} Options;

/* Pictures in a report. */
#define MAX_MAPS 12

static gboolean
set_choices (const Options *options, EnsRetrainParams *params, GError **error)
{
  guint coverage = params->coverage, augment = params->augment;

  if (!tool_parse_choice ("--coverage", options->coverage, ens_coverage_names, &coverage, error)
      || !tool_parse_choice ("--augment", options->augment, ens_retrain_augment_names, &augment,
                             error))
    return FALSE;
  params->coverage = (EnsCoverage)coverage;
  params->augment = (EnsRetrainAugment)augment;
  return TRUE;
}

static gboolean
set_sub_images (const char *text, EnsRetrainParams *params, GError **error)
{
  guint64 n;

  if (text == NULL)
    return TRUE;
  if (g_ascii_strcasecmp (text, "all") == 0) {
    params->sub_images = 0;
    return TRUE;
  }
  if (!g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT16, &n, NULL)) {
    g_set_error (error, TOOL_ERROR_USAGE, 0,
                 "--sub-images expects a number from 1 to %d or all, got “%s”", G_MAXUINT16, text);
    return FALSE;
  }
  params->sub_images = (guint)n;
  return TRUE;
}

static gboolean
set_params (const Options *options, const char *dataset, EnsRetrainParams *params, GError **error)
{
  if (options->network == NULL) {
    g_set_error (error, TOOL_ERROR_USAGE, 0,
                 "--network=FILE.onnx is needed: the classifier to retrain");
    return FALSE;
  }
  if (!tool_check_least ("--sub-image-size", options->sub_image_size, 0, error)
      || !tool_check_least ("--positive-weight", options->positive_weight, 0, error))
    return FALSE;
  params->freeze = options->freeze;
  params->sub_image_size = (guint)options->sub_image_size;
  params->positive_weight = options->positive_weight;
  params->recipe.one_class = options->one_class;
  return tool_training_set (&options->training, dataset, &params->recipe, error)
         && set_choices (options, params, error)
         && set_sub_images (options->sub_images, params, error)
         && (options->report == NULL || tool_report_check (options->report, error));
}

static void
print_map (const EnsDenseMap *map)
{
  g_print ("sub-images of %u × %u pixels, ", map->input, map->input);
  if (map->rows * map->columns == 1)
    g_print ("each classified as a whole\n");
  else
    g_print ("each classified at %u × %u positions, %g pixels apart\n", map->rows, map->columns,
             map->spacing);
}

static void
print_result (const EnsRetrainParams *params, const EnsRetrainResult *result)
{
  const EnsRecipeResult *recipe = &result->recipe;

  g_print ("%u classes, %u training pictures; %" G_GSIZE_FORMAT " weights in %u parameters; ",
           recipe->n_classes, recipe->n_images, recipe->n_weights, recipe->n_parameters);
  print_map (&result->map);
  tool_training_print (&params->recipe, recipe);
}

gboolean
tool_retraining_read (const EnsRetrainParams *params, const EnsRetrainResult *result,
                      EnsDevice *device, const EnsFrameOpener *opener, ToolRetraining *retraining,
                      GError **error)
{
  g_autofree char *log = ens_recipe_name_log (&params->recipe);

  *retraining = (ToolRetraining) {.params = params, .result = result};
  retraining->history = ens_loop_read_history (log, error);
  if (retraining->history == NULL)
    return FALSE;
  retraining->maps = ens_retrain_draw_maps (params, MAX_MAPS, device, opener, error);
  return retraining->maps != NULL;
}

void
tool_retraining_clear (ToolRetraining *retraining)
{
  g_clear_pointer (&retraining->history, g_array_unref);
  g_clear_pointer (&retraining->maps, g_ptr_array_unref);
}

static gboolean
write_report (const EnsRetrainParams *params, const EnsRetrainResult *result, EnsDevice *device,
              const char *path, GError **error)
{
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  const EnsFrameOpener *opener = gst_ensemble_decoder_get_opener (decoder);
  g_auto (ToolRetraining) retraining = {0};

  if (!tool_retraining_read (params, result, device, opener, &retraining, error)
      || !tool_retraining_write (&retraining, opener, path, error))
    return FALSE;
  g_print ("%s\n", path);
  return TRUE;
}

gboolean
tool_retrain_network (const EnsRetrainParams *params, EnsDevice *device, EnsRetrainResult *result,
                      GError **error)
{
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  g_autoptr (ToolMonitor) monitor = tool_monitor_new ();

  if (!ens_retrain (params, device, gst_ensemble_decoder_get_opener (decoder),
                    tool_monitor_get (monitor), result, error))
    return FALSE;
  g_clear_pointer (&monitor, tool_monitor_free);
  print_result (params, result);
  return TRUE;
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  EnsRetrainParams params = ENS_RETRAIN_DEFAULTS;
  EnsRetrainResult result;
  g_autoptr (ToolNetworks) networks = tool_networks_new ();
  g_autoptr (EnsDevice) device = NULL;
  const EnsFitNetwork *network;
  guint n;

  if (!set_params (options, arguments[0], &params, error)
      || !tool_networks_add (networks, options->network, error)
      || !tool_networks_complete (networks, error))
    return FALSE;
  network = tool_networks_get (networks, &n);
  params.network = network->path;
  params.normalise = network->normalise;
  params.size = network->size;
  params.taps = network->taps;
  device = tool_training_open_device (&options->training, error);
  return device != NULL && tool_retrain_network (&params, device, &result, error)
         && (options->report == NULL
             || write_report (&params, &result, device, options->report, error));
}

static const ToolOption option_table[] = {
    {"network", 'n', G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, network), "FILE[,…]",
     "The classifier to retrain, as for train", "*.onnx"},
    TOOL_TRAINING_OPTIONS (Options, "20", "0.0001", "sgd", "16"),
    {"one-class", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, one_class), "NAME",
     "That class alone; pictures of the others show none"},
    {"freeze", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, freeze), "VALUE",
     "Leave all layers up to this value as they are"},
    {"sub-images", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, sub_images), "N",
     "Samples of each picture in an epoch, or all (2)", "all"},
    {"sub-image-size", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, sub_image_size), "N",
     "Their side in pixels (256, for networks of 224)"},
    {"augment", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, augment), "NAME",
     "none, flip, normal or full (normal)", "none flip normal full"},
    {"coverage", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, coverage), "NAME",
     "Target of boxes: max, union or image (max)", "max union image"},
    {"positive-weight", 0, G_OPTION_ARG_DOUBLE, G_STRUCT_OFFSET (Options, positive_weight), "W",
     "Weight of a target of 1, if 0 has 1 (1)"},
    {"report", 'r', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, report), "FILE.html",
     "Write a self-contained HTML report", "*.html"},
    TOOL_OPTION_END,
};

const ToolCommand tool_retrain = {
    .name = "retrain",
    .arguments = "DATASET",
    .completions = "/",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Train a network's layers on the classes of a data set",
    .manual =
        "DATASET and --network are as for train, which takes the result as it is. The network's "
        "label layer, the last one with weights, is cleared and gets one output per "
        "class of the data set. Pictures are scaled to a shorter side of 256 pixels (in "
        "proportion for networks of other sizes than 224) and divided into squares along the "
        "longer side, 16 pixels apart. The network is applied convolutionally, which gives a map "
        "of probabilities for each square. Where the data set has boxes the target at each "
        "position is the share of the class's object that lies in the part of the picture that "
        "the position stands for; without boxes it is the picture's label. The loss is the mean "
        "squared error over the map.\n\n"
        "Where the data set says which pixels are an object's, by polygons (COCO, CVAT, YOLO), run "
        "lengths (COCO, CVAT) or pictures SegmentationObject/NAME.png (Pascal VOC), the share is "
        "of these, not of its box. "
        "--coverage=image makes the objects' share of the whole square the target.\n\n"
        "Objects that are marked as difficult, crowds and unknown labels teach nothing. Batch "
        "normalisation keeps its statistics. The rate of sgd is multiplied by the number of "
        "classes, "
        "over which the loss is a mean; the label layer learns ten times as fast as the others. "
        "The best epoch on the validation split is kept.\n\n"
        "--memory=MIB limits the memory of a step's intermediate values, of which some are then "
        "computed twice instead of being kept; the result is the same, bit for bit.\n\n"
        "FILE.json beside the result says its preprocessing and role. FILE.checkpoint keeps the "
        "state of the training: after each epoch, every five minutes, "
        "and when Ctrl-C stops it. With --resume it continues and gives the same result, bit for "
        "bit. FILE.jsonl is the log: one JSON object per epoch and per ten steps. "
        "The report draws it: curves of loss, accuracy and learning rate, the settings, and the "
        "network's map of a class over pictures of the validation split.\n\n"
        "  gst-ensemble-1.0 retrain photos -n squeezenet1.1.onnx -o photos.onnx\n"
        "  gst-ensemble-1.0 train photos -o site.ensemble -n squeezenet1.1.onnx,role=original \\\n"
        "    -n photos.onnx",
    .options = option_table,
    .options_size = sizeof (Options),
    .defaults = &(const Options) {.training = TOOL_TRAINING_DEFAULTS, .positive_weight = 1},
    .run = run,
};
