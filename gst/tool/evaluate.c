/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluation-table.h"
#include "monitor.h"
#include "report/report.h"
#include "tool.h"
#include "train/label-next.h"

#include "decode.h"

typedef struct {
  char *model, *one_class, *style, *split, *report, *unlabelled, *device;
  gint threads;
  gboolean json;
} Options;

static gboolean
parse_split (const char *name, EnsSplit *split, GError **error)
{
  const char *names[ENS_N_SPLITS + 1] = {NULL};
  guint choice = *split;

  for (guint s = 0; s < ENS_N_SPLITS; s++)
    names[s] = ens_split_name ((EnsSplit)s);
  if (!tool_parse_choice ("--split", name, names, &choice, error))
    return FALSE;
  *split = (EnsSplit)choice;
  return TRUE;
}

static EnsEvaluation *
evaluate (EnsEnsemble *ensemble, const char *folder, EnsSplit split, const Options *options,
          const EnsFrameOpener *opener, GError **error)
{
  const EnsBundle *bundle = ens_ensemble_get_bundle (ensemble);
  char **classes = bundle->only != NULL ? bundle->file_classes : bundle->classes;
  g_autoptr (EnsDataset) dataset = ens_dataset_load (folder, (const char *const *)classes, error);
  g_autoptr (EnsEvaluation) evaluation = NULL;
  g_autoptr (EnsStyle) style = NULL;
  g_autoptr (ToolMonitor) monitor = NULL;
  EnsAnalyseOptions analyse = ENS_ANALYSE_DEFAULTS;

  if (dataset == NULL || !ens_dataset_require (dataset, split, error)
      || (bundle->only != NULL && !ens_dataset_keep_class (dataset, bundle->classes[0], error)))
    return NULL;
  if (!ens_ensemble_open_style (ensemble, options->style, &style, error))
    return NULL;
  analyse.style = style;
  monitor = tool_monitor_new ();
  evaluation =
      ens_evaluate (ensemble, dataset, split, &analyse, opener, tool_monitor_get (monitor), error);
  if (evaluation == NULL
      || (options->unlabelled != NULL
          && !ens_add_next_labels (evaluation->findings, ensemble, options->unlabelled, opener,
                                   tool_monitor_get (monitor), error)))
    return NULL;
  return g_steal_pointer (&evaluation);
}

static gboolean
show (const EnsEvaluation *evaluation, const Options *options, const EnsFrameOpener *opener,
      GError **error)
{
  if (options->report != NULL
      && !tool_report_write (evaluation, NULL, opener, options->report, error))
    return FALSE;
  if (options->json) {
    g_autofree char *json = ens_evaluation_to_json (evaluation);

    g_print ("%s\n", json);
  } else {
    tool_evaluation_print (evaluation);
  }
  if (options->report != NULL && !options->json)
    g_print ("\n%s\n", options->report);
  return TRUE;
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_autoptr (GstEnsembleDecoder) decoder = NULL;
  g_autoptr (EnsDevice) device = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;
  g_autoptr (EnsEvaluation) evaluation = NULL;
  const EnsFrameOpener *opener;
  EnsSplit split = ENS_SPLIT_TEST;

  if (!parse_split (options->split, &split, error) || !tool_require_model (options->model, error)
      || (options->report != NULL && !tool_report_check (options->report, error)))
    return FALSE;
  device = tool_open_device (options->device, options->threads, error);
  ensemble =
      device ? ens_ensemble_open_class (options->model, options->one_class, device, error) : NULL;
  if (ensemble != NULL)
    tool_warn (ens_ensemble_get_notes (ensemble));
  if (ensemble == NULL)
    return FALSE;
  decoder = gst_ensemble_decoder_new ();
  opener = gst_ensemble_decoder_get_opener (decoder);
  evaluation = evaluate (ensemble, arguments[0], split, options, opener, error);
  return evaluation != NULL && show (evaluation, options, opener, error);
}

static const ToolOption option_table[] = {
    TOOL_OPTION_MODEL (Options),
    TOOL_OPTION_ONE_CLASS (Options),
    TOOL_OPTION_STYLE (Options),
    {"split", 's', G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, split), "NAME",
     "train, validation or test (test)", "train validation test"},
    {"report", 'r', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, report), "FILE.html",
     "Write a self-contained HTML report", "*.html"},
    TOOL_OPTION_UNLABELLED (Options),
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
            "precision (mAP), top-1 accuracy, and precision, recall and F1 at the "
            "thresholds. DATASET is a folder as for train, with the bundle's classes.",
    .manual =
        "Average precision is the area under the curve of precision over recall, its mean "
        "over classes that have an image. A dash stands for what can't be measured, such as "
        "the precision of a class that was never reported.\n\n"
        "What stands out in the pictures is said last, as train does: near copies, false "
        "alarms, labels that are likely wrong, confused classes. Of a folder of pictures "
        "without labels, --unlabelled names those to label next: of which the ensemble is "
        "least sure.\n\n"
        "The report is one file that needs no other: figures, the gate, curves of precision and "
        "recall, which class is taken for which, how far probabilities can be trusted, and "
        "small pictures of the worst mistakes and the best windows.\n\n"
        "  gst-ensemble-1.0 evaluate -m site.ensemble photos --report site.html",
    .options = option_table,
    .options_size = sizeof (Options),
    .run = run,
};
