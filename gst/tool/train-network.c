/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/train-network.h"

#include <math.h>
#include <string.h>

#include "decode.h"
#include "monitor.h"
#include "training-options.h"

typedef struct {
  ToolTraining training;
  char *depth, *width, *initial, *regulariser, *augment;
  gint size;
  gboolean stride_everywhere, plain;
  double decay;
} Options;

/* -- the network -- */

/* Numbers separated by commas, at most `max` of them; 0: they are none. */
static guint
parse_numbers (const char *text, guint *numbers, guint max)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  guint n = g_strv_length (words);

  for (guint i = 0; i < n; i++) {
    guint64 number;

    if (i == max || !g_ascii_string_to_unsigned (words[i], 10, 1, G_MAXUINT16, &number, NULL))
      return 0;
    numbers[i] = (guint)number;
  }
  return n;
}

static gboolean
fail_numbers (const char *option, const char *expected, const char *text, GError **error)
{
  g_set_error (error, TOOL_ERROR_USAGE, 0, "%s expects %s, got “%s”", option, expected, text);
  return FALSE;
}

/* A size by name, or the blocks of each stage of the small one. */
static gboolean
set_depth (const char *text, EnsResidualParams *network, GError **error)
{
  guint blocks[ENS_RESIDUAL_MAX_STAGES], n = 0;

  if (text != NULL && strchr (text, ',') != NULL) {
    n = parse_numbers (text, blocks, ENS_RESIDUAL_MAX_STAGES);
    if (n == 0)
      return fail_numbers ("--depth", "blocks of 1 to 8 stages, such as 2,2,2,2", text, error);
  }
  if (!ens_residual_find (n > 0 || text == NULL ? "small" : text, network, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    const EnsResidualStage *before = &network->stages[MAX (i, 1) - 1];

    if (i >= network->n_stages)
      network->stages[i] = (EnsResidualStage) {0, 2 * before->channels, 2};
    network->stages[i].n_blocks = blocks[i];
  }
  if (n > 0)
    network->n_stages = n;
  return TRUE;
}

/* Channels of each stage; those that are not given have twice as many as the stage before. */
static gboolean
set_width (const char *text, EnsResidualParams *network, GError **error)
{
  guint channels[ENS_RESIDUAL_MAX_STAGES], n;

  if (text == NULL)
    return TRUE;
  n = parse_numbers (text, channels, network->n_stages);
  if (n == 0)
    return fail_numbers ("--width", "channels of the stages, no more than there are of these", text,
                         error);
  for (guint i = 0; i < network->n_stages; i++)
    network->stages[i].channels = i < n ? channels[i] : 2 * network->stages[i - 1].channels;
  return TRUE;
}

static gboolean
set_initial (const char *text, EnsResidualParams *network, GError **error)
{
  guint numbers[3];

  if (text == NULL)
    return TRUE;
  if (parse_numbers (text, numbers, 3) != 3)
    return fail_numbers ("--initial", "channels, kernel and stride, such as 32,3,1", text, error);
  network->initial =
      (EnsConvLayer) {.filters = numbers[0], .kernel = numbers[1], .stride = numbers[2]};
  return TRUE;
}

static gboolean
set_network (const Options *options, EnsResidualParams *network, GError **error)
{
  if (!tool_check_least ("--size", options->size, 0, error)
      || !set_depth (options->depth, network, error) || !set_width (options->width, network, error)
      || !set_initial (options->initial, network, error))
    return FALSE;
  if (options->size > 0)
    network->height = network->width = (guint)options->size;
  network->stride_everywhere = options->stride_everywhere;
  network->plain = options->plain;
  return TRUE;
}

/* -- the training -- */

/* NAME or NAME,SHARE */
static gboolean
set_regulariser (const char *text, EnsTrainNetworkParams *params, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text != NULL ? text : "", ",", 2);
  guint choice = params->regulariser;
  char *end;

  if (text == NULL)
    return TRUE;
  if (!tool_parse_choice ("--regulariser", words[0] != NULL ? words[0] : "",
                          ens_network_regulariser_names, &choice, error))
    return FALSE;
  params->regulariser = (EnsNetworkRegulariser)choice;
  if (words[0] == NULL || words[1] == NULL)
    return TRUE;
  params->regulariser_share = g_ascii_strtod (words[1], &end);
  if (end != words[1] && *end == '\0' && params->regulariser_share >= 0)
    return TRUE;
  return fail_numbers ("--regulariser", "a share of the weight decay, such as sum,0.1", text,
                       error);
}

/* The optimiser's rate and decay, unless others are given. */
static gboolean
set_rates (const Options *options, EnsRecipeParams *recipe, GError **error)
{
  gboolean sgd = recipe->loop.optimiser.kind == ENS_OPTIMISER_SGD;

  if (!(options->training.rate > 0) && sgd)
    recipe->loop.rate = ENS_TRAIN_NETWORK_SGD_RATE;
  if (options->decay >= 0)
    recipe->loop.optimiser.decay = options->decay;
  else if (sgd)
    recipe->loop.optimiser.decay = ENS_TRAIN_NETWORK_SGD_DECAY;
  return options->decay == -1 || tool_check_least ("--weight-decay", options->decay, 0, error);
}

static gboolean
set_params (const Options *options, const char *dataset, EnsTrainNetworkParams *params,
            GError **error)
{
  guint augment = params->augment;

  if (!tool_training_set (&options->training, dataset, &params->recipe, error)
      || !set_rates (options, &params->recipe, error)
      || !set_network (options, &params->network, error)
      || !set_regulariser (options->regulariser, params, error)
      || !tool_parse_choice ("--augment", options->augment, ens_classifier_augment_names, &augment,
                             error))
    return FALSE;
  params->augment = (EnsClassifierAugment)augment;
  return TRUE;
}

/* -- the result -- */

static void
print_regulariser (const EnsTrainNetworkParams *params, const EnsTrainNetworkResult *result)
{
  g_print ("batch normalisation: root mean square of scales %.4f, of shifts %.4f; ",
           result->scale_norm, result->shift_norm);
  switch (params->regulariser) {
  case ENS_NETWORK_REGULARISER_OFF:
    g_print ("not regularised\n");
    return;
  case ENS_NETWORK_REGULARISER_SUM:
    g_print ("regularised by %.3g times half the sum of their %" G_GSIZE_FORMAT " squares\n",
             result->regulariser, result->n_normalisation);
    return;
  default:
    g_print ("regularised by %.3g times the mean of their %" G_GSIZE_FORMAT
             " squares, which is %.3g times half their sum\n",
             result->regulariser, result->n_normalisation, result->regulariser_as_sum);
  }
}

static void
print_measure (const EnsTrainNetworkResult *result, EnsSplit split)
{
  const EnsClassifierMeasure *measure = &result->measures[split];

  if (!isfinite (measure->loss))
    return;
  g_print ("%s: loss %.4f, mean average precision %.4f", ens_split_name (split), measure->loss,
           measure->precision);
  if (isfinite (measure->accuracy) && !result->has_several)
    g_print (", accuracy %.1f %%", 100 * measure->accuracy);
  g_print ("\n");
}

static void
print_result (const EnsTrainNetworkParams *params, const EnsTrainNetworkResult *result)
{
  const EnsRecipeResult *recipe = &result->recipe;

  g_print ("%u classes, %u training pictures; %" G_GSIZE_FORMAT " weights in %u parameters\n",
           recipe->n_classes, recipe->n_images, recipe->n_weights, recipe->n_parameters);
  print_regulariser (params, result);
  print_measure (result, ENS_SPLIT_VALIDATION);
  print_measure (result, ENS_SPLIT_TEST);
  tool_training_print (&params->recipe, recipe);
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  EnsTrainNetworkParams params = ENS_TRAIN_NETWORK_DEFAULTS;
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  g_autoptr (ToolMonitor) monitor = NULL;
  g_autoptr (EnsDevice) device = NULL;
  EnsTrainNetworkResult result;

  if (!set_params (options, arguments[0], &params, error))
    return FALSE;
  device = tool_training_open_device (&options->training, error);
  if (device == NULL)
    return FALSE;
  monitor = tool_monitor_new ();
  if (!ens_train_network (&params, device, gst_ensemble_decoder_get_opener (decoder),
                          tool_monitor_get (monitor), &result, error))
    return FALSE;
  g_clear_pointer (&monitor, tool_monitor_free);
  print_result (&params, &result);
  return TRUE;
}

static const ToolOption option_table[] = {
    TOOL_TRAINING_OPTIONS (Options, "60", "0.003", "adamw", "64"),
    {"depth", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, depth), "NAME|N,N…",
     "50, 101, 152, or blocks of each stage (1,1,1,1)", "50 101 152 small"},
    {"width", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, width), "N,N…",
     "Channels of stages, doubled in those not given (64)"},
    {"initial", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, initial), "N,N,N",
     "Initial convolution: channels, kernel, stride"},
    {"size", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, size), "PIXELS",
     "Height and width of samples (128; 224 of 50 …)"},
    {"stride-everywhere", 0, G_OPTION_ARG_NONE, G_STRUCT_OFFSET (Options, stride_everywhere), NULL,
     "Every block reduces its map, not a stage's first"},
    {"plain", 0, G_OPTION_ARG_NONE, G_STRUCT_OFFSET (Options, plain), NULL,
     "Usual blocks, which skip inputs, to compare with"},
    {"regulariser", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, regulariser), "NAME[,S]",
     "sum, mean, mean-as-written or off (sum,0.1)", "sum mean mean-as-written off"},
    {"weight-decay", 0, G_OPTION_ARG_DOUBLE, G_STRUCT_OFFSET (Options, decay), "DECAY",
     "Of convolutions (0.02 with adamw, 0.0001 with sgd)"},
    {"augment", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, augment), "NAME",
     "none, crop, normal or full (normal)", "none crop normal full"},
    TOOL_OPTION_END,
};

const ToolCommand tool_train_network = {
    .name = "train-network",
    .arguments = "DATASET",
    .completions = "/",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Train a residual network on a data set, from the beginning",
    .manual =
        "The network is a residual one of bottleneck blocks: batch normalisation, ReLU and a "
        "convolution, three times. Its stride is on the 3×3 convolution, so that no input is "
        "skipped; usual networks, which --plain makes, have it on the first 1×1 convolution, which "
        "reads one of four inputs. The first block of each stage halves the map; with "
        "--stride-everywhere every block does. --depth=50, 101 and 152 are the published sizes, "
        "for "
        "pictures of 224×224; --depth=2,2,2,2 gives each stage two blocks.\n\n"
        "Samples are regions of random area and aspect ratio, resized to --size; --augment=crop "
        "mirrors half of them, normal also turns a quarter by up to 45° and changes the colours of "
        "half of them, full does all that the library can do. Where the data set has boxes half of "
        "the samples show an object and a little of what is around it. The loss is the softmax's "
        "cross entropy where each picture shows one class; where it can show several, binary cross "
        "entropy, and with boxes the target is the share of the object that the sample shows.\n\n"
        "Scales and shifts of batch normalisations have their own term in the loss: a share S of "
        "the "
        "weight decay times half the sum of their squares; mean is the mean of the squares, its "
        "factor chosen to have the same effect; mean-as-written takes the factor as it is, which "
        "has next to none. What was taken is printed.\n\n"
        "The best epoch on the validation split is kept; the test split is measured at the end, if "
        "there is one. FILE.json beside the result says its preprocessing, labels and feature "
        "layers, so that train takes it as it is. FILE.checkpoint and FILE.jsonl are as of "
        "retrain.\n\n"
        "  gst-ensemble-1.0 train-network photos -o own.onnx --size=96\n"
        "  gst-ensemble-1.0 train photos -o site.ensemble -n own.onnx -n squeezenet1.1.onnx",
    .options = option_table,
    .options_size = sizeof (Options),
    .defaults = &(const Options) {.training = TOOL_TRAINING_DEFAULTS, .decay = -1},
    .run = run,
};
