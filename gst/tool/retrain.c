/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "retrain.h"

#include <math.h>

#include "decode.h"
#include "monitor.h"
#include "network-list.h"
#include "report/report.h"
#include "report/retraining.h"
#include "tool.h"

typedef struct {
  char *network, *output, *freeze, *coverage, *augment, *optimiser, *report, *device;
  gint epochs, batch, sub_images, patience, seed, threads;
  double rate, average;
  gboolean all_sub_images, resume;
} Options;

static const char *const optimiser_names[] = {"sgd", "adamw", NULL};

enum { SGD, ADAMW };

/* Pictures in a report. */
#define MAX_MAPS 12

static gboolean
check_numbers (const Options *options, GError **error)
{
  return tool_check_least ("--epochs", options->epochs, 1, error)
         && tool_check_least ("--batch", options->batch, 1, error)
         && tool_check_least ("--sub-images", options->sub_images, 1, error)
         && tool_check_least ("--patience", options->patience, 0, error)
         && tool_check_least ("--seed", options->seed, 0, error)
         && tool_check_least ("--rate", options->rate, 0, error)
         && tool_check_least ("--average", options->average, 0, error);
}

static gboolean
set_choices (const Options *options, EnsRetrainParams *params, GError **error)
{
  guint coverage = params->coverage, augment = params->augment, optimiser = SGD;

  if (!tool_parse_choice ("--coverage", options->coverage, ens_coverage_names, &coverage, error)
      || !tool_parse_choice ("--augment", options->augment, ens_retrain_augment_names, &augment,
                             error)
      || !tool_parse_choice ("--optimiser", options->optimiser, optimiser_names, &optimiser, error))
    return FALSE;
  params->coverage = (EnsCoverage)coverage;
  params->augment = (EnsRetrainAugment)augment;
  if (optimiser == ADAMW)
    params->loop.optimiser = ENS_RETRAIN_ADAMW;
  if (options->rate > 0)
    params->loop.rate = options->rate;
  return TRUE;
}

static gboolean
set_params (const Options *options, EnsRetrainParams *params, GError **error)
{
  if (options->network == NULL || options->output == NULL) {
    g_set_error (error, TOOL_ERROR_USAGE, 0,
                 options->network == NULL
                     ? "--network=FILE.onnx is needed: the classifier to retrain"
                     : "--output=FILE.onnx is needed: the network to write");
    return FALSE;
  }
  if (!check_numbers (options, error) || !set_choices (options, params, error)
      || (options->report != NULL && !tool_report_check (options->report, error)))
    return FALSE;
  params->output = options->output;
  params->freeze = options->freeze;
  params->batch = (guint)options->batch;
  params->sub_images = options->all_sub_images ? 0 : (guint)options->sub_images;
  params->seed = (guint64)options->seed;
  params->loop.n_epochs = (guint)options->epochs;
  params->loop.patience = (guint)options->patience;
  params->loop.average = options->average;
  params->loop.resume = options->resume;
  return TRUE;
}

static void
print_result (const EnsRetrainParams *params, const EnsRetrainResult *result)
{
  const EnsLoopResult *loop = &result->loop;

  g_print ("%u classes, %u training pictures; %" G_GSIZE_FORMAT
           " weights in %u parameters; a map of %u × %u positions every %g pixels of %u × %u\n",
           result->n_classes, result->n_images, result->n_weights, result->n_parameters,
           result->map.rows, result->map.columns, result->map.spacing, result->map.input,
           result->map.input);
  g_print ("best of %u epochs: %u; validation: loss %.4f", loop->n_epochs, loop->best_epoch + 1,
           loop->best.loss);
  if (isfinite (loop->best.accuracy))
    g_print (", accuracy %.1f %%", 100 * loop->best.accuracy);
  g_print ("\n\n%s\n", params->output);
}

static gboolean
write_report (const EnsRetrainParams *params, const EnsRetrainResult *result, EnsDevice *device,
              const EnsFrameOpener *opener, const char *path, GError **error)
{
  g_autofree char *log = ens_retrain_name_log (params);
  g_autoptr (GArray) history = ens_loop_read_history (log, error);
  g_autoptr (GPtrArray) maps = NULL;

  if (history == NULL)
    return FALSE;
  maps = ens_retrain_draw_maps (params, MAX_MAPS, device, opener, error);
  return maps != NULL
         && tool_retraining_write (&(ToolRetraining) {params, result, history, maps}, opener, path,
                                   error);
}

gboolean
tool_retrain_network (const EnsRetrainParams *params, const char *report, EnsDevice *device,
                      GError **error)
{
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  const EnsFrameOpener *opener = gst_ensemble_decoder_get_opener (decoder);
  g_autoptr (ToolMonitor) monitor = tool_monitor_new ();
  EnsRetrainResult result;

  if (!ens_retrain (params, device, opener, tool_monitor_get (monitor), &result, error))
    return FALSE;
  g_clear_pointer (&monitor, tool_monitor_free);
  print_result (params, &result);
  if (report == NULL)
    return TRUE;
  if (!write_report (params, &result, device, opener, report, error))
    return FALSE;
  g_print ("%s\n", report);
  return TRUE;
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  EnsRetrainParams params = ENS_RETRAIN_DEFAULTS;
  g_autoptr (ToolNetworks) networks = tool_networks_new ();
  g_autoptr (EnsDevice) device = NULL;
  const EnsFitNetwork *network;
  guint n;

  if (!set_params (options, &params, error)
      || !tool_networks_add (networks, options->network, error)
      || !tool_networks_complete (networks, error))
    return FALSE;
  network = tool_networks_get (networks, &n);
  params.network = network->path;
  params.normalise = network->normalise;
  params.size = network->size;
  params.taps = network->taps;
  params.dataset = arguments[0];
  device = tool_open_device (options->device, options->threads, error);
  return device != NULL && tool_retrain_network (&params, options->report, device, error);
}

static const ToolOption option_table[] = {
    {"network", 'n', G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, network), "FILE[,KEY=VALUE]…",
     "The classifier to retrain, as for train", "*.onnx"},
    {"output", 'o', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, output), "FILE.onnx",
     "The network to write", "*.onnx"},
    {"epochs", 'e', G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, epochs), "N",
     "Times that all pictures are gone through (20)"},
    {"freeze", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, freeze), "VALUE",
     "Leave all layers up to this value as they are"},
    {"rate", 0, G_OPTION_ARG_DOUBLE, G_STRUCT_OFFSET (Options, rate), "RATE",
     "Largest learning rate (0.0001)"},
    {"optimiser", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, optimiser), "NAME",
     "sgd or adamw (sgd)", "sgd adamw"},
    {"average", 0, G_OPTION_ARG_DOUBLE, G_STRUCT_OFFSET (Options, average), "DECAY",
     "Moving average of weights, such as 0.99 (0: none)"},
    {"batch", 'b', G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, batch), "N",
     "Sub-images in a step (16)"},
    {"sub-images", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, sub_images), "N",
     "Of each picture in an epoch, at random (2)"},
    {"all-sub-images", 0, G_OPTION_ARG_NONE, G_STRUCT_OFFSET (Options, all_sub_images), NULL,
     "All of them in every epoch"},
    {"augment", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, augment), "NAME",
     "none, flip, normal or full (normal)", "none flip normal full"},
    {"coverage", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, coverage), "NAME",
     "Target of boxes: max, union or image (max)", "max union image"},
    {"patience", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, patience), "N",
     "End after N epochs without a better one (0: never)"},
    {"seed", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, seed), "N",
     "Of all that is random (0)"},
    {"resume", 0, G_OPTION_ARG_NONE, G_STRUCT_OFFSET (Options, resume), NULL,
     "Continue a training that was stopped or killed"},
    {"report", 'r', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, report), "FILE.html",
     "Write a self-contained HTML report", "*.html"},
    TOOL_OPTION_DEVICE (Options),
    TOOL_OPTION_THREADS (Options),
    TOOL_OPTION_END,
};

const ToolCommand tool_retrain = {
    .name = "retrain",
    .arguments = "DATASET",
    .completions = "/",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Train a network's layers on the classes of a data set",
    .help = "DATASET and --network are as for train, which takes the result as it is.",
    .manual =
        "The network's label layer, the last one with weights, is cleared and gets one output per "
        "class of the data set. Pictures are scaled to a shorter side of 256 pixels (in "
        "proportion for networks of other sizes than 224) and divided into squares along the "
        "longer side, 16 pixels apart. The network is applied convolutionally, which gives a map "
        "of probabilities for each square. Where the data set has boxes the target at each "
        "position is the share of the class's object that lies in the part of the picture that "
        "the position stands for; without boxes it is the picture's label. The loss is the mean "
        "squared error over the map.\n\n"
        "Objects that are marked as difficult, crowds and unknown labels teach nothing. Batch "
        "normalisation keeps its statistics. The rate of sgd is multiplied by the number of "
        "classes, "
        "over which the loss is a mean; the label layer learns ten times as fast as the others. "
        "The best epoch on the validation split is kept.\n\n"
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
    .defaults =
        &(const Options) {.epochs = 20, .batch = 16, .sub_images = 2, .rate = ENS_RETRAIN_RATE},
    .run = run,
};
