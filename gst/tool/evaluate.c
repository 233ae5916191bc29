#include "evaluation-table.h"
#include "monitor.h"
#include "tool.h"

#include "decode.h"

typedef struct {
  char *model, *split, *device;
  gint threads;
  gboolean json;
} Options;

static gboolean
parse_split (const char *name, EnsSplit *split, GError **error)
{
  if (name == NULL)
    return TRUE;
  for (guint i = 0; i < ENS_N_SPLITS; i++)
    if (g_strcmp0 (name, ens_split_name ((EnsSplit)i)) == 0) {
      *split = (EnsSplit)i;
      return TRUE;
    }
  g_set_error (error, TOOL_ERROR_USAGE, 0, "--split expects train, validation or test, got “%s”",
               name);
  return FALSE;
}

static EnsEvaluation *
evaluate (EnsEnsemble *ensemble, const char *folder, EnsSplit split, GError **error)
{
  const EnsBundle *bundle = ens_ensemble_get_bundle (ensemble);
  g_autoptr (EnsDataset) dataset =
      ens_dataset_load (folder, (const char *const *)bundle->classes, error);
  g_autoptr (GstEnsembleDecoder) decoder = NULL;
  g_autoptr (ToolMonitor) monitor = NULL;

  if (dataset == NULL || !ens_dataset_require (dataset, split, error))
    return NULL;
  decoder = gst_ensemble_decoder_new ();
  monitor = tool_monitor_new ();
  return ens_evaluate (ensemble, dataset, split, gst_ensemble_decoder_get_opener (decoder),
                       tool_monitor_get (monitor), error);
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_autoptr (EnsDevice) device = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsEvaluation) evaluation = NULL;
  EnsSplit split = ENS_SPLIT_TEST;

  if (!parse_split (options->split, &split, error) || !tool_require_model (options->model, error))
    return FALSE;
  device = tool_open_device (options->device, options->threads, error);
  ensemble = device ? ens_ensemble_open (options->model, device, error) : NULL;
  evaluation = ensemble ? evaluate (ensemble, arguments[0], split, error) : NULL;
  if (evaluation == NULL)
    return FALSE;
  if (options->json) {
    g_autofree char *json = ens_evaluation_to_json (evaluation);

    g_print ("%s\n", json);
  } else {
    tool_evaluation_print (evaluation);
  }
  return TRUE;
}

static const ToolOption option_table[] = {
    TOOL_OPTION_MODEL (Options),
    {"split", 's', G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, split), "NAME",
     "train, validation or test (test)", "train validation test"},
    {"json", 'j', G_OPTION_ARG_NONE, G_STRUCT_OFFSET (Options, json), NULL, "Print JSON"},
    TOOL_OPTION_DEVICE (Options),
    TOOL_OPTION_THREADS (Options),
    TOOL_OPTION_END,
};

const ToolCommand tool_evaluate = {
    .name = "evaluate",
    .arguments = "DATASET",
    .completions = "/",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Measure an ensemble on labelled pictures",
    .help = "Each network by itself, the ensemble without windows, and with them: mean average "
            "precision, accuracy of the likeliest class, and precision, recall and F1 at the "
            "thresholds. DATASET is a folder as for train, with the bundle's classes.",
    .manual = "Average precision is the area under the curve of precision over recall, its mean "
              "over classes that have an image. A dash stands for what can't be measured, such as "
              "the precision of a class that was never reported.",
    .options = option_table,
    .options_size = sizeof (Options),
    .run = run,
};
