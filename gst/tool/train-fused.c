/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/train-fused.h"

#include <math.h>

#include "decode.h"
#include "monitor.h"
#include "network-list.h"
#include "training-options.h"

typedef struct {
  ToolTraining training;
  char *contour, *backbone, *tap, *fusion, *update, *augment;
  gint layers;
  double dropout;
  gboolean without_contour;
} Options;

static gboolean
require (const char *value, const char *what, GError **error)
{
  if (value == NULL)
    g_set_error (error, TOOL_ERROR_USAGE, 0, "--%s", what);
  return value != NULL;
}

static gboolean
set_choices (const Options *options, EnsTrainFusedParams *params, GError **error)
{
  guint kind = params->network.kind, update = params->update, augment = params->augment;

  if (!tool_parse_choice ("--fusion", options->fusion, ens_fused_kind_names, &kind, error)
      || !tool_parse_choice ("--update", options->update, ens_fused_update_names, &update, error)
      || !tool_parse_choice ("--augment", options->augment, ens_classifier_augment_names, &augment,
                             error))
    return FALSE;
  params->network.kind = (EnsFusedKind)kind;
  params->update = (EnsFusedUpdate)update;
  params->augment = (EnsClassifierAugment)augment;
  return TRUE;
}

static gboolean
set_params (const Options *options, const char *dataset, EnsTrainFusedParams *params,
            GError **error)
{
  if (!tool_training_set (&options->training, dataset, &params->recipe, error)
      || !require (options->contour, "contour=FILE.onnx is needed, as train-contour writes it",
                   error)
      || !require (options->backbone, "backbone=FILE.onnx is needed: the classifier to begin with",
                   error)
      || !set_choices (options, params, error)
      || !tool_check_least ("--fusion-layers", options->layers, 1, error)
      || !tool_check_least ("--dropout", options->dropout, 0, error))
    return FALSE;
  if (options->dropout >= 1) {
    g_set_error (error, TOOL_ERROR_USAGE, 0, "--dropout expects a share below 1, got %g",
                 options->dropout);
    return FALSE;
  }
  params->contour = options->contour;
  params->network.tap = options->tap;
  params->network.n_layers = (guint)options->layers;
  params->network.dropout = options->dropout;
  params->network.without_contour = options->without_contour;
  return TRUE;
}

static void
print_measure (const EnsTrainFusedResult *result, const char *what,
               const EnsClassifierMeasure *measure)
{
  if (isnan (measure->loss))
    return;
  g_print ("%s: loss %.4f, ", what, measure->loss);
  if (result->has_several)
    g_print ("mean average precision %.3f\n", measure->precision);
  else
    g_print ("accuracy %.1f %%\n", 100 * measure->accuracy);
}

static void
print_result (const EnsTrainFusedParams *params, const EnsTrainFusedResult *result)
{
  g_autofree char *exchanged = g_strdup_printf ("%s with exchanged colour channels",
                                                ens_split_name (result->exchanged_split));

  print_measure (result, "validation", &result->measures[ENS_SPLIT_VALIDATION]);
  print_measure (result, "test", &result->measures[ENS_SPLIT_TEST]);
  print_measure (result, exchanged, &result->exchanged);
  tool_training_print (&params->recipe, &result->recipe);
}

static gboolean
train (const EnsTrainFusedParams *params, EnsDevice *device, GError **error)
{
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  g_autoptr (ToolMonitor) monitor = tool_monitor_new ();
  EnsTrainFusedResult result;

  if (!ens_train_fused (params, device, gst_ensemble_decoder_get_opener (decoder),
                        tool_monitor_get (monitor), &result, error))
    return FALSE;
  g_clear_pointer (&monitor, tool_monitor_free);
  print_result (params, &result);
  return TRUE;
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  EnsTrainFusedParams params = ENS_TRAIN_FUSED_DEFAULTS;
  g_autoptr (ToolNetworks) networks = tool_networks_new ();
  g_autoptr (EnsDevice) device = NULL;
  const EnsFitNetwork *network;
  guint n;

  if (!set_params (options, arguments[0], &params, error)
      || !tool_networks_add (networks, options->backbone, error)
      || !tool_networks_complete (networks, error))
    return FALSE;
  network = tool_networks_get (networks, &n);
  params.backbone = network->path;
  params.normalise = network->normalise;
  params.network.size = network->size;
  device = tool_training_open_device (&options->training, error);
  return device != NULL && train (&params, device, error);
}

static const ToolOption option_table[] = {
    {"contour", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, contour), "FILE.onnx",
     "The contour network; it stays as it is", "*.onnx"},
    {"backbone", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, backbone), "FILE[,…]",
     "The classifier to begin with, as for train", "*.onnx"},
    TOOL_TRAINING_OPTIONS (Options, "10", "0.01", "sgd", "16"),
    {"tap", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, tap), "VALUE",
     "The backbone's map (the last before its labels)"},
    {"fusion", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, fusion), "NAME",
     "convolve or concat (convolve)", "convolve concat"},
    {"fusion-layers", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, layers), "N",
     "Convolutions that fuse (2)"},
    {"dropout", 0, G_OPTION_ARG_DOUBLE, G_STRUCT_OFFSET (Options, dropout), "SHARE",
     "Of what the labels are read from (0.2)"},
    {"update", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, update), "NAME",
     "both, head or backbone (both)", "both head backbone"},
    {"augment", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, augment), "NAME",
     "none, crop, normal or full (full)", "none crop normal full"},
    {"without-contour", 0, G_OPTION_ARG_NONE, G_STRUCT_OFFSET (Options, without_contour), NULL,
     "Multiply contours by 0, for comparisons"},
    TOOL_OPTION_END,
};

const ToolCommand tool_train_fused = {
    .name = "train-fused",
    .arguments = "DATASET",
    .completions = "/",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Train a classifier that sees contours, too",
    .manual =
        "The network has two branches that see the same picture. The backbone is a classifier in "
        "ONNX, cut off behind a map, the last one before its labels if --tap does not name "
        "another. The contour network is one that train-contour wrote; its feature is brought to "
        "the map's size. Both are laid side by side (--fusion=concat) and, by default, merged by "
        "two 3×3 convolutions; their mean goes to a fully connected layer with one output for "
        "each class. Where every picture of the data set shows one class, the loss is the cross "
        "entropy of a softmax, else the binary cross entropy of each class.\n\n"
        "--update says what learns: the head, the backbone, whose learning rate is a tenth of the "
        "head's, or both. The contour network never does; that its weights are the same bits in "
        "the result as before is checked.\n\n"
        "--augment=full changes pictures in all ways there are, those among them that keep a "
        "classifier from resting on colour alone: in a tenth of an epoch's pictures colour "
        "channels are exchanged, in a tenth one channel's values are changed by less than 24 of "
        "255 on average. normal has crops, flips, rotations, brightness, contrast, saturation and "
        "hue; crop has no changes of colour. The accuracy is printed for pictures as they are, and "
        "as the mean over the five exchanges of their channels.\n\n"
        "The result has one input and is a network as others: train takes it, with what the fusion "
        "made last and the logits as its features. --without-contour multiplies the contour "
        "feature by 0, in a network with the same weights: what is lost then is what contours are "
        "worth.\n\n"
        "  gst-ensemble-1.0 train-contour contours -o contour.onnx\n"
        "  gst-ensemble-1.0 train-fused photos --contour=contour.onnx \\\n"
        "    --backbone=squeezenet1.1.onnx -o fused.onnx\n"
        "  gst-ensemble-1.0 train photos -o site.ensemble -n fused.onnx",
    .options = option_table,
    .options_size = sizeof (Options),
    .defaults = &(const Options) {.training = TOOL_TRAINING_DEFAULTS, .layers = 2, .dropout = 0.2},
    .run = run,
};
