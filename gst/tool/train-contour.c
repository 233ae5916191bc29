/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "decode.h"
#include "monitor.h"
#include "table.h"
#include "report/contours.h"
#include "report/report.h"
#include "train/loop-history.h"
#include "training-options.h"

typedef struct {
  ToolTraining training;
  char *module, *unify, *balance, *report;
  gint crop, crops;
  gboolean evaluate;
} Options;

static const char *const module_names[] = {"resnet", "densenet", "senet", NULL};
static const char *const unify_names[] = {"linear", "nearest", "transposed", NULL};

/* One name for all levels, or one for each. */
static gboolean
set_unify (const char *text, EnsContourParams *network, GError **error)
{
  g_auto (GStrv) names = text != NULL ? g_strsplit (text, ",", -1) : NULL;
  guint n = names != NULL ? g_strv_length (names) : 0;

  if (names == NULL)
    return TRUE;
  if (n != 1 && n != network->n_levels) {
    g_set_error (error, TOOL_ERROR_USAGE, 0,
                 "--unify expects one name, or one for each of %u levels; got %u",
                 network->n_levels, n);
    return FALSE;
  }
  for (guint i = 0; i < network->n_levels; i++) {
    guint choice = ENS_CONTOUR_LINEAR;

    if (!tool_parse_choice ("--unify", names[n == 1 ? 0 : i], unify_names, &choice, error))
      return FALSE;
    network->unify[i] = (EnsContourUnify)choice;
  }
  return TRUE;
}

static gboolean
set_params (const Options *options, const char *dataset, EnsContourTraining *params, GError **error)
{
  static const char *const switches[] = {"off", "on", NULL};
  guint module = params->network.module, balance = params->balance ? 1 : 0;

  if (!tool_training_set (&options->training, dataset, &params->recipe, error)
      || !tool_parse_choice ("--module", options->module, module_names, &module, error)
      || !tool_parse_choice ("--balance", options->balance, switches, &balance, error)
      || !set_unify (options->unify, &params->network, error)
      || !tool_check_least ("--crop", options->crop, 1, error)
      || !tool_check_least ("--crops", options->crops, 1, error)
      || (options->report != NULL && !tool_report_check (options->report, error)))
    return FALSE;
  params->network.module = (EnsContourModule)module;
  params->balance = balance != 0;
  params->crop = (guint)options->crop;
  params->crops = (guint)options->crops;
  return TRUE;
}

static void
print_evaluation (const EnsContourEvaluation *evaluation)
{
  g_autoptr (ToolTable) table =
      tool_table_new ("contours|>smoothing|>ODS|>precision|>recall|>threshold");

  for (guint i = 0; i < ENS_N_CONTOUR_METHODS; i++) {
    const EnsContourFigures *figures = &evaluation->methods[i];

    tool_table_row (table);
    tool_table_cell (table, "%s", tool_contour_method_names[i]);
    if (isnan (figures->deviation))
      tool_table_cell (table, "–");
    else
      tool_table_cell (table, "%g px", figures->deviation);
    tool_table_cell (table, "%.3f", figures->score.f);
    tool_table_cell (table, "%.3f", figures->score.precision);
    tool_table_cell (table, "%.3f", figures->score.recall);
    tool_table_cell (table, "%.2f", figures->score.threshold);
  }
  tool_table_print (table);
  g_print ("%u photographs of the %s split\n", evaluation->pictures->len,
           ens_split_name (evaluation->split));
}

typedef struct {
  const EnsContourTraining *params;
  EnsDevice *device;
  const EnsFrameOpener *opener;
  const char *report; /* NULL: none */
} Job;

static gboolean
write_report (const Job *job, const EnsContourEvaluation *evaluation, const EnsRecipeResult *result,
              GError **error)
{
  ToolContours contours = {job->params, result, NULL, evaluation};
  g_autoptr (GArray) history = NULL;

  if (job->report == NULL)
    return TRUE;
  if (result != NULL) {
    g_autofree char *log = ens_recipe_name_log (&job->params->recipe);

    contours.history = history = ens_loop_read_history (log, error);
    if (history == NULL)
      return FALSE;
  }
  if (!tool_contours_write (&contours, job->opener, job->report, error))
    return FALSE;
  g_print ("%s\n", job->report);
  return TRUE;
}

/* Measures the network as it is in the files. result: NULL where it was trained before. */
static gboolean
evaluate (const Job *job, const EnsRecipeResult *result, GError **error)
{
  g_autofree char *map = ens_contour_name_map (job->params);
  g_autoptr (ToolMonitor) monitor = tool_monitor_new ();
  g_autoptr (EnsContourEvaluation) evaluation =
      ens_contour_evaluate (map, job->params->recipe.dataset, job->device, job->opener,
                            tool_monitor_get (monitor), error);

  g_clear_pointer (&monitor, tool_monitor_free);
  if (evaluation == NULL)
    return FALSE;
  print_evaluation (evaluation);
  return write_report (job, evaluation, result, error);
}

static gboolean
train (const Job *job, GError **error)
{
  g_autoptr (ToolMonitor) monitor = tool_monitor_new ();
  EnsRecipeResult result;

  if (!ens_contour_train (job->params, job->device, job->opener, tool_monitor_get (monitor),
                          &result, error))
    return FALSE;
  g_clear_pointer (&monitor, tool_monitor_free);
  tool_training_print (&job->params->recipe, &result);
  return evaluate (job, &result, error);
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  EnsContourTraining params = ENS_CONTOUR_TRAINING_DEFAULTS;
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  g_autoptr (EnsDevice) device = NULL;
  Job job = {&params, NULL, gst_ensemble_decoder_get_opener (decoder), options->report};

  if (!set_params (options, arguments[0], &params, error))
    return FALSE;
  device = job.device = tool_training_open_device (&options->training, error);
  return device != NULL && (options->evaluate ? evaluate (&job, NULL, error) : train (&job, error));
}

static const ToolOption option_table[] = {
    TOOL_TRAINING_OPTIONS (Options, "30", "0.001", "adamw", "4"),
    {"module", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, module), "NAME",
     "resnet, densenet or senet (resnet)", "resnet densenet senet"},
    {"unify", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, unify), "NAME[,…]",
     "linear, nearest, transposed; of each level (linear)", "linear nearest transposed"},
    {"balance", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, balance), "on|off",
     "Contours weigh as much as the rest (on)", "on off"},
    {"crop", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, crop), "PIXELS",
     "Side of the crops that it learns from (320)"},
    {"crops", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, crops), "N",
     "Of each photograph in an epoch (8)"},
    {"evaluate", 0, G_OPTION_ARG_NONE, G_STRUCT_OFFSET (Options, evaluate), NULL,
     "Train nothing, measure an earlier result"},
    {"report", 'r', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, report), "FILE.html",
     "Write a self-contained HTML report", "*.html"},
    TOOL_OPTION_END,
};

const ToolCommand tool_train_contour = {
    .name = "train-contour",
    .arguments = "FOLDER",
    .completions = "/",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Train a network that finds contours",
    .help = "FOLDER has train/ID.jpg with train/ID_gt.png, its drawn contours, and val/….",
    .manual =
        "The folder holds pairs of a photograph, ID.jpg or in another format, and a grey picture "
        "ID_gt.png of the same size: black (0) where nobody has drawn a contour, white (255) where "
        "all who drew have, their share between. A drawing of one person has 0 and 255 alone; "
        "lines are a pixel wide. train is learnt from, val says which epoch is the best; where "
        "there is a folder test, the figures are of its photographs, else of val's. Twenty "
        "photographs are a beginning, two hundred are good.\n\n"
        "The network has five levels, each half as large as the one before. Each is a convolution "
        "and a module: resnet, densenet or senet. A unifying layer brings each level to 16 "
        "channels and the first level's size: by linear interpolation, by the nearest position, or "
        "by a transposed convolution that is trained; --unify=linear,linear,nearest,transposed,"
        "transposed names one for each level. Side by side they are the contour feature of 80 "
        "channels. For training, a layer makes one map of it. In each photograph contours and the "
        "rest weigh alike, with --balance=off each pixel does. Pixels that some, but less than 0.3 "
        "of those who drew have drawn do not count, nor do 4 pixels along borders.\n\n"
        "FILE.onnx is the network with the feature as its output, and the values unified1 … "
        "unified5 before it; train-fused takes it. FILE-map.onnx gives the map of one channel. "
        "Beside both, a file .json says their preprocessing. FILE.jsonl, FILE.checkpoint and "
        "--resume are as for retrain.\n\n"
        "The table compares the network with Canny's edges and with the gradient's magnitude, each "
        "with the smoothing that suits these photographs best. ODS is the highest F measure of one "
        "threshold for all photographs: contours are thinned to a pixel's width, found pixels are "
        "matched with drawn ones, one to one, at most 0.0075 of the diagonal apart, and recall is "
        "weighted by the share of people who drew a pixel. It is a variant of the measure of "
        "BSDS500, whose figures can't be compared with it. --evaluate measures the files of an "
        "earlier training. The report shows the photographs with drawn and found contours.\n\n"
        "  gst-ensemble-1.0 train-contour contours -o contour.onnx --report=contour.html",
    .options = option_table,
    .options_size = sizeof (Options),
    .defaults = &(const Options) {.training = TOOL_TRAINING_DEFAULTS, .crop = 320, .crops = 8},
    .run = run,
};
