#include "evaluation-table.h"
#include "monitor.h"
#include "tool.h"

#include "decode.h"

typedef struct {
  char *model, *split, *device;
  gint threads;
  gboolean json;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->model);
  g_free (options->split);
  g_free (options->device);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

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
run (const ToolCommand *command, int argc, char **argv, GError **error)
{
  g_auto (Options) options = {0};
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &options.model, "The ensemble", "BUNDLE"},
      {"split", 's', 0, G_OPTION_ARG_STRING, &options.split, "train, validation or test (test)",
       "NAME"},
      {"json", 'j', 0, G_OPTION_ARG_NONE, &options.json, "Print JSON", NULL},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options.device,
       "auto, cpu, vulkan or vulkan:N (auto)", "DEVICE"},
      {"threads", 't', 0, G_OPTION_ARG_INT, &options.threads, "Threads on the CPU (all processors)",
       "N"},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr (EnsDevice) device = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsEvaluation) evaluation = NULL;
  EnsSplit split = ENS_SPLIT_TEST;

  if (!tool_parse (command, entries, &argc, &argv, 1, 1, error)
      || !parse_split (options.split, &split, error))
    return FALSE;
  if (options.model == NULL) {
    g_set_error (error, TOOL_ERROR_USAGE, 0, "--model=BUNDLE is needed: a folder made by “train”");
    return FALSE;
  }
  device = ens_device_open (options.device ? options.device : "auto",
                            (guint)MAX (options.threads, 0), error);
  ensemble = device ? ens_ensemble_open (options.model, device, error) : NULL;
  evaluation = ensemble ? evaluate (ensemble, argv[1], split, error) : NULL;
  if (evaluation == NULL)
    return FALSE;
  if (options.json) {
    g_autofree char *json = ens_evaluation_to_json (evaluation);

    g_print ("%s\n", json);
  } else {
    tool_evaluation_print (evaluation);
  }
  return TRUE;
}

const ToolCommand tool_evaluate = {
    .name = "evaluate",
    .arguments = "DATASET",
    .summary = "Measure an ensemble on labelled pictures",
    .details = "Each network by itself, the ensemble without windows, and with them: mean average "
               "precision,\naccuracy of the likeliest class, and precision, recall and F1 at the "
               "thresholds.",
    .run = run,
};
