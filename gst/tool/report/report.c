/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "base/files.h"
#include "html.h"
#include "page.h"
#include "sections.h"
#include "training.h"

/* ---- What the parts share ---- */

static gboolean
is_network (const EnsEvaluationRow *row)
{
  return strcmp (row->name, ENS_EVALUATION_WITHOUT_WINDOWS) != 0
         && strcmp (row->name, ENS_EVALUATION_WITH_WINDOWS) != 0;
}

const char *
report_row_style (const Report *report, guint row)
{
  static const char *const networks[] = {"network-0", "network-1", "network-2", "network-3"};
  const EnsEvaluationRow *shown = &report->evaluation->rows[row];

  if (shown == report->best)
    return "best-row";
  return is_network (shown) ? networks[row % G_N_ELEMENTS (networks)] : "second-row";
}

float *
report_thresholds (const Report *report, const EnsEvaluationRow *row)
{
  float *thresholds = g_new (float, report->truth.n_classes);

  for (guint c = 0; c < report->truth.n_classes; c++)
    thresholds[c] = row->classes[c].threshold;
  return thresholds;
}

double
report_calibration_error (const Report *report, const EnsEvaluationRow *row)
{
  EnsReliability bins[REPORT_BINS];

  ens_reliability (&report->truth, row->scores, bins, REPORT_BINS);
  return ens_calibration_error (bins, REPORT_BINS);
}

static int
compare_precision (gconstpointer a, gconstpointer b, gpointer data)
{
  const EnsClassEvaluation *classes = data;
  double x = classes[*(const guint *)a].average_precision;
  double y = classes[*(const guint *)b].average_precision;

  if (isnan (x) || isnan (y))
    return isnan (x) - isnan (y);
  return x < y ? -1 : x > y;
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  return *(const guint *)a < *(const guint *)b ? -1 : 1;
}

guint *
report_weak_classes (const Report *report, guint *n)
{
  guint n_classes = report->truth.n_classes;
  guint *order = g_new (guint, n_classes);

  for (guint c = 0; c < n_classes; c++)
    order[c] = c;
  *n = MIN (n_classes, REPORT_MAX_CLASSES);
  if (n_classes <= REPORT_MAX_CLASSES)
    return order;
  g_qsort_with_data (order, (gint)n_classes, sizeof *order, compare_precision,
                     report->best->classes);
  qsort (order, *n, sizeof *order, compare_numbers);
  return order;
}

/* ---- The page ---- */

static void
add_header (Report *report)
{
  const EnsEvaluation *evaluation = report->evaluation;
  g_autofree char *bundle = html_clean (evaluation->bundle);
  GString *html = report->html;

  html_add (html, "<header>\n<h1>%s</h1>\n<p>Measured on %u pictures of the %s split", bundle,
            evaluation->n_images, evaluation->split);
  html_add (html, ", which show %u %s%s", evaluation->n_classes,
            evaluation->n_classes == 1 ? "class" : "classes",
            report->multi_label ? ", some of them several at once" : "");
  if (evaluation->n_skipped > 0)
    html_add (html, "; %u more could not be read", evaluation->n_skipped);
  if (evaluation->cross_fitted)
    g_string_append (html, "; cross-fitted: all settings were chosen on other pictures");
  g_string_append (html, ".</p>\n<nav>");
  html_add (html, "<a href=\"#models\">Networks and ensemble</a>");
  if (report_has_findings (report))
    html_add (html, "<a href=\"#data\">Data set</a>");
  g_string_append (html, "<a href=\"#classes\">Classes</a>");
  if (report_has_gate (report))
    g_string_append (html, "<a href=\"#gate\">Gate</a>");
  html_add (html,
            "<a href=\"#curves\">Precision–recall curves</a><a href=\"#confusion\">%s</a>"
            "<a href=\"#calibration\">Calibration</a><a href=\"#mistakes\">Worst errors</a>",
            report->multi_label ? "Errors" : "Confusion matrix");
  if (evaluation->windows != NULL)
    html_add (html, "<a href=\"#windows\">Windows</a>");
  if (report->retraining != NULL)
    training_add_links (html, report->retraining);
  html_add (html, "</nav>\n");
}

/* What the page of the command retrain shows. */
static void
add_retraining (Report *report)
{
  const char *output = report->retraining->params->recipe.output;
  g_autofree char *base = g_filename_display_basename (output), *name = html_clean (base);

  html_add (report->html, "<header class=\"part\">\n<h1>%s</h1>\n", name);
  training_add_summary (report->html, &report->retraining->result->recipe);
  g_string_append (report->html, "</header>\n");
  training_add_sections (report->html, report->retraining, report->opener);
}

static void
add_page (Report *report)
{
  g_autofree char *title =
      g_strdup_printf ("%s on the %s split", report->evaluation->bundle, report->evaluation->split);

  page_open (report->html, title);
  add_header (report);
  report_add_summary (report);
  report_add_findings (report);
  report_add_classes (report);
  report_add_gate (report);
  report_add_curves (report);
  report_add_confusion (report);
  report_add_calibration (report);
  report_add_mistakes (report);
  report_add_windows (report);
  if (report->retraining != NULL)
    add_retraining (report);
}

static void
report_init (Report *report, const EnsEvaluation *evaluation, const EnsFrameOpener *opener)
{
  *report = (Report) {.evaluation = evaluation,
                      .best = &evaluation->rows[evaluation->n_rows - 1],
                      .truth = ens_evaluation_get_truth (evaluation),
                      .opener = opener,
                      .pool = ens_thread_pool_new (1),
                      .html = g_string_new (NULL)};
  report->multi_label = ens_labels_is_multi_label (&report->truth);
  report->classes = g_new0 (char *, evaluation->n_classes + 1);
  for (guint c = 0; c < evaluation->n_classes; c++)
    report->classes[c] = html_clean (evaluation->classes[c]);
  report->row_names = g_new0 (char *, evaluation->n_rows + 1);
  for (guint r = 0; r < evaluation->n_rows; r++) {
    const EnsEvaluationRow *row = &evaluation->rows[r];
    g_autofree char *name = html_clean (row->name);

    report->row_names[r] =
        is_network (row) ? g_steal_pointer (&name) : g_strdup_printf ("ensemble %s", name);
  }
}

static void
report_clear (Report *report)
{
  if (report->html == NULL)
    return;
  g_strfreev (report->classes);
  g_strfreev (report->row_names);
  ens_thread_pool_unref (report->pool);
  g_string_free (report->html, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Report, report_clear)

gboolean
tool_report_check (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int number;

  if (!ens_file_check_write (path, error))
    return FALSE;
  if (g_access (folder, W_OK) == 0)
    return TRUE;
  number = errno;
  return ens_fail (error, ENS_ERROR_FILE, path, "can't write in the folder %s: %s%s", folder,
                   g_strerror (number), ens_write_advice (number));
}

gboolean
tool_report_write (const EnsEvaluation *evaluation, const ToolRetraining *retraining,
                   const EnsFrameOpener *opener, const char *path, GError **error)
{
  g_auto (Report) report = {0};

  g_return_val_if_fail (evaluation->n_rows > 0 && evaluation->paths != NULL, FALSE);

  report_init (&report, evaluation, opener);
  report.retraining = retraining;
  add_page (&report);
  return page_write (report.html, path, error);
}
