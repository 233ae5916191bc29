/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/evaluate.h"

#include <math.h>

#include "base/json.h"
#include "classify/fusion.h"
#include "classify/metrics.h"
#include "train/images.h"

void
ens_evaluation_free (EnsEvaluation *evaluation)
{
  if (evaluation == NULL)
    return;
  for (guint r = 0; r < evaluation->n_rows; r++) {
    g_free (evaluation->rows[r].name);
    g_free (evaluation->rows[r].classes);
    g_free (evaluation->rows[r].confusion);
    g_free (evaluation->rows[r].scores);
  }
  g_free (evaluation->rows);
  g_free (evaluation->n_positive);
  g_free (evaluation->labels);
  g_strfreev (evaluation->paths);
  g_clear_pointer (&evaluation->findings, g_ptr_array_unref);
  g_clear_pointer (&evaluation->notes, g_ptr_array_unref);
  g_free (evaluation->window_scores);
  g_free (evaluation->windows);
  g_free (evaluation->gate);
  g_free (evaluation->gate_kind);
  g_free (evaluation->gate_figures);
  g_strfreev (evaluation->classes);
  g_free (evaluation->bundle);
  g_free (evaluation->split);
  g_free (evaluation->style);
  g_free (evaluation);
}

/* ---- Rows from scores ---- */

EnsEvaluation *
ens_evaluation_new (const char *bundle, const char *split, const char *const *classes,
                    const EnsLabels *truth, guint n_skipped)
{
  EnsEvaluation *evaluation = g_new0 (EnsEvaluation, 1);

  evaluation->bundle = g_strdup (bundle);
  evaluation->split = g_strdup (split);
  evaluation->classes = g_strdupv ((char **)classes);
  evaluation->n_classes = truth->n_classes;
  evaluation->n_images = truth->n_samples;
  evaluation->n_skipped = n_skipped;
  evaluation->labels = g_memdup2 (truth->labels, (gsize)truth->n_samples * truth->n_classes);
  evaluation->n_positive = g_new0 (guint, truth->n_classes);
  for (guint i = 0; i < truth->n_samples; i++)
    for (guint c = 0; c < truth->n_classes; c++)
      evaluation->n_positive[c] += ens_labels_has (truth, i, c);
  return evaluation;
}

EnsLabels
ens_evaluation_get_truth (const EnsEvaluation *evaluation)
{
  return (EnsLabels) {evaluation->n_images, evaluation->n_classes, evaluation->labels};
}

static EnsClassEvaluation
measure_class (const EnsLabels *truth, const EnsScores *scores, guint class)
{
  const float threshold = scores->thresholds != NULL ? scores->thresholds[class] : 0.5F;
  const EnsCounts counts = scores->margins != NULL ? ens_count (truth, scores->margins, class, 0)
                                                   : ens_count (truth, scores->p, class, threshold);

  return (EnsClassEvaluation) {.average_precision = ens_average_precision (
                                   truth, scores->ranks != NULL ? scores->ranks : scores->p, class),
                               .threshold = threshold,
                               .precision = ens_precision (&counts),
                               .recall = ens_recall (&counts),
                               .f1 = ens_f1 (&counts)};
}

/* Classes that no image has can't be measured and don't count. */
static void
average_classes (const EnsEvaluation *evaluation, EnsEvaluationRow *row)
{
  guint n = 0;

  for (guint c = 0; c < evaluation->n_classes; c++) {
    EnsClassEvaluation *class = &row->classes[c];

    if (evaluation->n_positive[c] == 0) {
      class->precision = class->recall = class->f1 = NAN;
      continue;
    }
    row->precision += class->precision;
    row->recall += class->recall;
    row->f1 += class->f1;
    n++;
  }
  row->precision = n > 0 ? row->precision / n : NAN;
  row->recall = n > 0 ? row->recall / n : NAN;
  row->f1 = n > 0 ? row->f1 / n : NAN;
}

void
ens_evaluation_add (EnsEvaluation *evaluation, const char *name, const EnsLabels *truth,
                    const EnsScores *scores)
{
  guint n_classes = evaluation->n_classes;
  EnsEvaluationRow *row;

  evaluation->rows = g_renew (EnsEvaluationRow, evaluation->rows, evaluation->n_rows + 1);
  row = &evaluation->rows[evaluation->n_rows++];
  *row = (EnsEvaluationRow) {.name = g_strdup (name),
                             .classes = g_new0 (EnsClassEvaluation, n_classes),
                             .confusion = g_new0 (guint, (gsize)n_classes * n_classes)};
  row->scores = g_memdup2 (scores->p, sizeof *scores->p * truth->n_samples * n_classes);
  for (guint c = 0; c < n_classes; c++)
    row->classes[c] = measure_class (truth, scores, c);
  average_classes (evaluation, row);
  row->mean_average_precision =
      ens_mean_average_precision (truth, scores->ranks != NULL ? scores->ranks : scores->p);
  row->accuracy = ens_accuracy (truth, scores->p, row->confusion);
}

guint
ens_evaluation_count_false_alarms (const EnsEvaluation *evaluation, const EnsEvaluationRow *row,
                                   guint *n_none)
{
  const EnsLabels truth = ens_evaluation_get_truth (evaluation);
  guint n = 0;

  *n_none = 0;
  for (guint i = 0; i < truth.n_samples; i++) {
    const float *scores = &row->scores[(gsize)i * truth.n_classes];
    gboolean alarm = FALSE;

    if (!ens_labels_has_none (&truth, i))
      continue;
    for (guint c = 0; c < truth.n_classes; c++)
      alarm |= scores[c] >= row->classes[c].threshold;
    (*n_none)++;
    n += alarm;
  }
  return n;
}

/* ---- Rows from images ---- */

/* Scores of all images, one matrix for each row of the evaluation. */
typedef struct {
  const EnsBundle *bundle;
  guint *measured; /* the bundle's classes that are measured, n_measured of them */
  guint n_measured;
  EnsAnalysis *analysis;
  const EnsAnalyseOptions *options; /* NULL: the bundle's */
  GPtrArray *paths;                 /* char *, NULL-terminated at the end */
  GArray *labels;                   /* guint8, of the measured classes, as all that follows */
  GArray **networks;                /* float */
  GArray *without, *with, *in_windows;
  GArray *windows; /* EnsRect */
  EnsGateCounts gate;
  GArray *images; /* EnsDiagnosisImage, what was seen of the images themselves */
  GArray *hashes; /* EnsPictureHash */
} Scores;

static void
scores_init (Scores *scores, EnsEnsemble *ensemble)
{
  scores->bundle = ens_ensemble_get_bundle (ensemble);
  scores->measured = g_new (guint, scores->bundle->n_classes);
  scores->analysis = ens_analysis_new (ensemble);
  scores->paths = g_ptr_array_new_with_free_func (g_free);
  scores->labels = g_array_new (FALSE, FALSE, sizeof (guint8));
  scores->networks = g_new0 (GArray *, scores->bundle->n_networks);
  for (guint n = 0; n < scores->bundle->n_networks; n++)
    scores->networks[n] = g_array_new (FALSE, FALSE, sizeof (float));
  scores->without = g_array_new (FALSE, FALSE, sizeof (float));
  scores->with = g_array_new (FALSE, FALSE, sizeof (float));
  scores->in_windows = g_array_new (FALSE, FALSE, sizeof (float));
  scores->windows = g_array_new (FALSE, FALSE, sizeof (EnsRect));
  scores->images = g_array_new (FALSE, FALSE, sizeof (EnsDiagnosisImage));
  scores->hashes = g_array_new (FALSE, FALSE, sizeof (EnsPictureHash));
}

static void
scores_clear (Scores *scores)
{
  ens_analysis_free (scores->analysis);
  g_free (scores->measured);
  g_ptr_array_unref (scores->paths);
  g_array_unref (scores->labels);
  for (guint n = 0; n < scores->bundle->n_networks; n++)
    g_array_unref (scores->networks[n]);
  g_free (scores->networks);
  g_array_unref (scores->without);
  g_array_unref (scores->with);
  g_array_unref (scores->in_windows);
  g_array_unref (scores->windows);
  g_array_unref (scores->images);
  g_array_unref (scores->hashes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scores, scores_clear)

/* Whether some picture of any split shows the class. */
static gboolean
is_shown (const EnsDataset *dataset, guint class)
{
  for (guint s = 0; s < ENS_N_SPLITS; s++)
    for (guint i = 0; i < dataset->samples[s]->len; i++)
      if (((const EnsDatasetItem *)dataset->samples[s]->pdata[i])->labels[class]
          == ENS_LABEL_PRESENT)
        return TRUE;
  return FALSE;
}

/* A zero-shot class was never a class of any data set: nobody may have looked for it in this one.
 * notes: gets a line for each class that is left out. */
static gboolean
choose_classes (Scores *scores, const EnsDataset *dataset, GPtrArray *notes, GError **error)
{
  const EnsBundle *bundle = scores->bundle;

  for (guint c = 0; c < bundle->n_classes; c++)
    if (c < bundle->n_classes - bundle->n_zero_shot || is_shown (dataset, c))
      scores->measured[scores->n_measured++] = c;
    else
      g_ptr_array_add (notes,
                       g_strdup_printf ("%s: no picture is said to show the zero-shot class “%s”, "
                                        "which is not measured",
                                        dataset->folder, bundle->classes[c]));
  if (scores->n_measured == 0)
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: expected pictures of the zero-shot class “%s”, found none; label some to "
                 "measure it",
                 dataset->folder, bundle->classes[0]);
  return scores->n_measured > 0;
}

/* (transfer container) */
static const char **
list_names (const Scores *scores)
{
  const char **names = g_new0 (const char *, scores->n_measured + 1);

  for (guint c = 0; c < scores->n_measured; c++)
    names[c] = scores->bundle->classes[scores->measured[c]];
  return names;
}

/* Those of the measured classes. (transfer full) */
static float *
pick_thresholds (const Scores *scores, const float *thresholds)
{
  float *picked = g_new (float, scores->n_measured);

  for (guint c = 0; c < scores->n_measured; c++)
    picked[c] = thresholds[scores->measured[c]];
  return picked;
}

/* A label that nobody knows to be right or wrong does not count. */
static void
count_label (EnsGateCounts *counts, guint8 label, const EnsClassResult *class)
{
  guint n = class->present || class->withheld, n_withheld = class->withheld ? 1 : 0;

  counts->correct += label == ENS_LABEL_PRESENT ? n : 0;
  counts->correct_withheld += label == ENS_LABEL_PRESENT ? n_withheld : 0;
  counts->wrong += label == ENS_LABEL_ABSENT ? n : 0;
  counts->wrong_withheld += label == ENS_LABEL_ABSENT ? n_withheld : 0;
}

/* labels: of the measured classes. */
static void
count_labels (Scores *scores, const guint8 *labels, const EnsResult *result)
{
  const EnsLabels truth = {1, scores->n_measured, labels};
  gboolean any = FALSE;

  for (guint c = 0; c < scores->n_measured; c++) {
    const EnsClassResult *class = &result->classes[scores->measured[c]];

    count_label (&scores->gate, labels[c], class);
    any |= class->present;
  }
  scores->gate.false_alarms += any && ens_labels_has_none (&truth, 0);
}

static void
append_measured (GArray *values, const Scores *scores, const float *of_classes)
{
  for (guint c = 0; c < scores->n_measured; c++)
    g_array_append_val (values, of_classes[scores->measured[c]]);
}

/* What P would be without windows. */
static void
append_without (Scores *scores, const EnsResult *result)
{
  const guint n = result->n_classes;
  g_autofree float *p1 = g_new (float, n);
  g_autofree float *p2 = g_new (float, n);
  g_autofree float *p = g_new (float, n);

  for (guint c = 0; c < n; c++) {
    p1[c] = result->classes[c].p1;
    p2[c] = result->classes[c].p2;
  }
  ens_bundle_fuse (scores->bundle, p1, p2, NULL, p);
  append_measured (scores->without, scores, p);
}

static void
look_at_image (Scores *scores, const EnsDatasetItem *item, const EnsFrame *frame)
{
  EnsDiagnosisImage image = {.path = item->path, .width = frame->width, .height = frame->height};
  float pixels[ENS_PICTURE_HASH_PIXELS];
  EnsPictureHash hash;

  ens_picture_hash_shrink (frame, NULL, pixels);
  ens_picture_hash_init (&hash, pixels);
  g_array_append_val (scores->images, image);
  g_array_append_val (scores->hashes, hash);
}

/* A class that a network does not know is one that it does not see. */
static void
append_known (GArray *values, const Scores *scores, const float *probabilities)
{
  for (guint c = 0; c < scores->n_measured; c++) {
    float p = probabilities[scores->measured[c]];

    p = isnan (p) ? 0 : p;
    g_array_append_val (values, p);
  }
}

static void
append_classes (Scores *scores, const EnsDatasetItem *item, const EnsResult *result)
{
  for (guint m = 0; m < scores->n_measured; m++) {
    const EnsClassResult *class = &result->classes[scores->measured[m]];
    EnsRect window =
        class->window >= 0 ? result->windows[class->window].rect : (EnsRect) {0, 0, 0, 0};

    g_array_append_val (scores->labels, item->labels[scores->measured[m]]);
    g_array_append_val (scores->with, class->p);
    g_array_append_val (scores->in_windows, class->p3);
    g_array_append_val (scores->windows, window);
  }
}

static gboolean
classify_image (const EnsDatasetItem *item, const EnsPicture *picture, gpointer data,
                GError **error)
{
  Scores *scores = data;
  g_autoptr (EnsResult) result =
      ens_analysis_run (scores->analysis, &picture->frame, picture->pts, scores->options, error);

  if (result == NULL)
    return FALSE;
  look_at_image (scores, item, &picture->frame);
  g_ptr_array_add (scores->paths, g_strdup (item->path));
  for (guint n = 0; n < scores->bundle->n_networks; n++)
    append_known (scores->networks[n], scores, result->networks[n].probabilities);
  append_without (scores, result);
  append_classes (scores, item, result);
  count_labels (scores,
                &g_array_index (scores->labels, guint8, scores->labels->len - scores->n_measured),
                result);
  return TRUE;
}

/* By the whole ensemble's probabilities: the images are none that it was trained on. */
static void
diagnose (Scores *scores, const EnsDataset *dataset, EnsSplit split, EnsEvaluation *evaluation)
{
  const EnsEvaluationRow *best = &evaluation->rows[evaluation->n_rows - 1];
  g_autofree float *thresholds = pick_thresholds (scores, scores->bundle->thresholds);
  EnsDiagnosis diagnosis = {.classes = (const char *const *)evaluation->classes,
                            .n_classes = evaluation->n_classes,
                            .images = (const EnsDiagnosisImage *)scores->images->data,
                            .n_images = scores->images->len,
                            .thresholds = thresholds};

  for (guint i = 0; i < scores->images->len; i++) {
    EnsDiagnosisImage *image = &g_array_index (scores->images, EnsDiagnosisImage, i);

    image->split = split;
    image->labels = &evaluation->labels[(gsize)i * evaluation->n_classes];
    image->hash = &g_array_index (scores->hashes, EnsPictureHash, i);
    image->probabilities = &best->scores[(gsize)i * evaluation->n_classes];
  }
  for (guint i = 0; i < dataset->samples[split]->len; i++)
    diagnosis.boxed |= ((const EnsDatasetItem *)dataset->samples[split]->pdata[i])->boxes != NULL;
  evaluation->findings = ens_diagnose (&diagnosis);
}

/* (transfer full) */
static EnsEvaluation *
evaluate_scores (Scores *scores, EnsSplit split, guint n_skipped)
{
  const EnsBundle *bundle = scores->bundle;
  EnsLabels truth = {scores->paths->len, scores->n_measured, (const guint8 *)scores->labels->data};
  g_autofree const char **names = list_names (scores);
  g_autofree float *without = pick_thresholds (scores, ens_bundle_get_thresholds (bundle, FALSE));
  g_autofree float *with = pick_thresholds (scores, bundle->thresholds);
  EnsEvaluation *evaluation =
      ens_evaluation_new (bundle->name, ens_split_name (split), names, &truth, n_skipped);

  for (guint n = 0; n < bundle->n_networks; n++)
    ens_evaluation_add (evaluation, bundle->networks[n].name, &truth,
                        &(EnsScores) {.p = (const float *)scores->networks[n]->data});
  ens_evaluation_add (
      evaluation, ENS_EVALUATION_WITHOUT_WINDOWS, &truth,
      &(EnsScores) {.p = (const float *)scores->without->data, .thresholds = without});
  if (bundle->gate != NULL)
    evaluation->gate = g_memdup2 (&scores->gate, sizeof scores->gate);
  g_ptr_array_add (scores->paths, NULL);
  evaluation->paths = (char **)g_ptr_array_steal (scores->paths, NULL);
  if (bundle->windows == 0)
    return evaluation;
  ens_evaluation_add (evaluation, ENS_EVALUATION_WITH_WINDOWS, &truth,
                      &(EnsScores) {.p = (const float *)scores->with->data, .thresholds = with});
  evaluation->window_scores = g_array_steal (scores->in_windows, NULL);
  evaluation->windows = g_array_steal (scores->windows, NULL);
  return evaluation;
}

EnsEvaluation *
ens_evaluate (EnsEnsemble *ensemble, const EnsDataset *dataset, EnsSplit split,
              const EnsAnalyseOptions *options, const EnsFrameOpener *opener,
              const EnsMonitor *monitor, GError **error)
{
  g_auto (Scores) scores = {0};
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  EnsEvaluation *evaluation;
  guint n_skipped;

  g_return_val_if_fail (dataset->n_classes == ens_ensemble_get_bundle (ensemble)->n_classes, NULL);

  ens_dataset_tell (dataset, monitor);
  scores_init (&scores, ensemble);
  scores.options = options;
  if (!choose_classes (&scores, dataset, notes, error))
    return NULL;
  for (guint i = 0; i < notes->len; i++)
    ens_monitor_note (monitor, "%s", (const char *)notes->pdata[i]);
  if (!ens_images_foreach (&(EnsImages) {.dataset = dataset,
                                         .split = split,
                                         .opener = opener,
                                         .monitor = monitor,
                                         .stage = "evaluating",
                                         .each = classify_image,
                                         .data = &scores},
                           &n_skipped, error))
    return NULL;
  evaluation = evaluate_scores (&scores, split, n_skipped);
  if (options != NULL && options->style != NULL)
    evaluation->style = g_strdup (ens_style_get_name (options->style));
  diagnose (&scores, dataset, split, evaluation);
  evaluation->notes = ens_dataset_copy_notes (dataset);
  g_ptr_array_extend_and_steal (evaluation->notes, g_steal_pointer (&notes));
  return evaluation;
}

/* ---- JSON ---- */

static void
write_class (EnsJson *json, const EnsEvaluation *evaluation, const EnsEvaluationRow *row, guint c)
{
  const EnsClassEvaluation *class = &row->classes[c];

  ens_json_open_object (json, NULL, ENS_JSON_FLAT);
  ens_json_string (json, "name", evaluation->classes[c]);
  ens_json_double (json, "average_precision", class->average_precision);
  ens_json_float (json, "threshold", class->threshold);
  ens_json_double (json, "precision", class->precision);
  ens_json_double (json, "recall", class->recall);
  ens_json_double (json, "f1", class->f1);
  ens_json_open_array (json, "confusion", ENS_JSON_FLAT);
  for (guint d = 0; d < evaluation->n_classes; d++)
    ens_json_unsigned (json, NULL, row->confusion[(gsize)c * evaluation->n_classes + d]);
  ens_json_close (json);
  ens_json_close (json);
}

static void
write_finding (EnsJson *json, const EnsFinding *finding)
{
  ens_json_open_object (json, NULL, ENS_JSON_BLOCK);
  ens_json_string (json, "kind", ens_finding_name (finding->kind));
  ens_json_string (json, "text", finding->text);
  ens_json_open_array (json, "pictures", ENS_JSON_BLOCK);
  for (guint i = 0; i < finding->pictures->len; i++)
    ens_json_string (json, NULL, g_array_index (finding->pictures, EnsFindingPicture, i).path);
  ens_json_close (json);
  ens_json_close (json);
}

static void
write_row (EnsJson *json, const EnsEvaluation *evaluation, const EnsEvaluationRow *row)
{
  ens_json_open_object (json, NULL, ENS_JSON_BLOCK);
  ens_json_string (json, "name", row->name);
  ens_json_double (json, "mean_average_precision", row->mean_average_precision);
  ens_json_double (json, "accuracy", row->accuracy);
  ens_json_double (json, "precision", row->precision);
  ens_json_double (json, "recall", row->recall);
  ens_json_double (json, "f1", row->f1);
  ens_json_open_array (json, "classes", ENS_JSON_BLOCK);
  for (guint c = 0; c < evaluation->n_classes; c++)
    write_class (json, evaluation, row, c);
  ens_json_close (json);
  ens_json_close (json);
}

static void
write_gate (EnsJson *json, const EnsGateCounts *gate)
{
  ens_json_open_object (json, "gate", ENS_JSON_FLAT);
  ens_json_unsigned (json, "correct", gate->correct);
  ens_json_unsigned (json, "correct_withheld", gate->correct_withheld);
  ens_json_unsigned (json, "wrong", gate->wrong);
  ens_json_unsigned (json, "wrong_withheld", gate->wrong_withheld);
  ens_json_unsigned (json, "false_alarms", gate->false_alarms);
  ens_json_close (json);
}

char *
ens_evaluation_to_json (const EnsEvaluation *evaluation)
{
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_BLOCK);
  ens_json_string (&json, "schema", ENS_EVALUATION_SCHEMA);
  ens_json_string (&json, "bundle", evaluation->bundle);
  if (evaluation->style != NULL)
    ens_json_string (&json, "style", evaluation->style);
  ens_json_string (&json, "split", evaluation->split);
  ens_json_unsigned (&json, "images", evaluation->n_images);
  ens_json_unsigned (&json, "skipped", evaluation->n_skipped);
  ens_json_open_object (&json, "positives", ENS_JSON_FLAT);
  for (guint c = 0; c < evaluation->n_classes; c++)
    ens_json_unsigned (&json, evaluation->classes[c], evaluation->n_positive[c]);
  ens_json_close (&json);
  if (evaluation->gate != NULL)
    write_gate (&json, evaluation->gate);
  ens_json_open_array (&json, "rows", ENS_JSON_BLOCK);
  for (guint r = 0; r < evaluation->n_rows; r++)
    write_row (&json, evaluation, &evaluation->rows[r]);
  ens_json_close (&json);
  ens_json_open_array (&json, "notes", ENS_JSON_BLOCK);
  for (guint i = 0; evaluation->notes != NULL && i < evaluation->notes->len; i++)
    ens_json_string (&json, NULL, evaluation->notes->pdata[i]);
  ens_json_close (&json);
  ens_json_open_array (&json, "findings", ENS_JSON_BLOCK);
  for (guint i = 0; evaluation->findings != NULL && i < evaluation->findings->len; i++)
    write_finding (&json, evaluation->findings->pdata[i]);
  ens_json_close (&json);
  ens_json_close (&json);
  return ens_json_finish (&json);
}
