/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of a report: the worst mistakes, the best windows. */
#include <math.h>

#include "html.h"
#include "page.h"
#include "sections.h"

/* So many of each kind, whatever the size of the set: the page stays below some megabytes. */
#define MAX_MISTAKES 12
#define MAX_WINDOWS 16
#define THUMBNAIL_SIDE 256

/* Windows whose highest probability is below count for nothing. */
#define NEGLIGIBLE_SCORE 0.01F

/* Rows of probabilities on a card. */
#define MAX_ODDS 4

/* ---- Cards ---- */

void
report_add_picture (Report *report, const char *path, guint side, const EnsRect *window)
{
  g_autoptr (EnsPicture) picture = ens_frame_opener_read (report->opener, path, NULL);
  guint width, height;

  if (!page_open_picture (report->html, path, picture, side, report->pool, &width, &height))
    return;
  if (window != NULL)
    page_add_frame (report->html, window, width, height);
  g_string_append (report->html, "</svg>");
}

/* The classes that a picture shows, or may show. (transfer full) */
static char *
list_truth (const Report *report, guint sample)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (guint c = 0; c < report->truth.n_classes; c++)
    if (ens_labels_has (&report->truth, sample, c))
      g_ptr_array_add (names, g_strdup (report->classes[c]));
    else if (!ens_labels_knows (&report->truth, sample, c))
      g_ptr_array_add (names, g_strdup_printf ("perhaps %s", report->classes[c]));
  if (names->len == 0)
    return g_strdup ("none of the classes");
  g_ptr_array_add (names, NULL);
  return g_strjoinv (", ", (char **)names->pdata);
}

/* ---- Mistakes ---- */

static int
compare_scores (gconstpointer a, gconstpointer b, gpointer data)
{
  const float *scores = data;
  guint x = *(const guint *)a, y = *(const guint *)b;

  if (scores[x] != scores[y])
    return scores[x] > scores[y] ? -1 : 1;
  return x < y ? -1 : x > y;
}

/* The likeliest classes, the judged one in any case. */
static guint
choose_odds (const Report *report, const EnsPrediction *prediction, guint *chosen)
{
  guint n_classes = report->truth.n_classes, n = MIN (n_classes, MAX_ODDS), position = 0;
  g_autofree guint *order = g_new (guint, n_classes);
  float *scores = &report->best->scores[(gsize)prediction->sample * n_classes];

  for (guint c = 0; c < n_classes; c++)
    order[c] = c;
  g_qsort_with_data (order, (gint)n_classes, sizeof *order, compare_scores, scores);
  for (guint i = 0; i < n; i++)
    chosen[i] = order[i];
  while (position < n && chosen[position] != prediction->class)
    position++;
  if (position == n)
    chosen[n - 1] = prediction->class;
  return n;
}

static void
add_odds (Report *report, const EnsPrediction *prediction)
{
  const float *scores = &report->best->scores[(gsize)prediction->sample * report->truth.n_classes];
  GString *html = report->html;
  guint chosen[MAX_ODDS], n = choose_odds (report, prediction, chosen);

  g_string_append (html, "<table class=\"odds\">");
  for (guint i = 0; i < n; i++)
    html_add (html,
              "<tr><th scope=\"row\" class=\"%s\" title=\"%s\">%s</th>"
              "<td><i class=\"%s\" style=\"--v:%.1f\"></i></td><td>%.2f</td></tr>",
              ens_labels_has (&report->truth, prediction->sample, chosen[i]) ? "true" : "false",
              report->classes[chosen[i]], report->classes[chosen[i]],
              chosen[i] == prediction->class ? "asked" : "other", 100 * (double)scores[chosen[i]],
              (double)scores[chosen[i]]);
  g_string_append (html, "</table>");
}

/* What each of the others says of it. */
static void
add_opinions (Report *report, const EnsPrediction *prediction)
{
  const EnsEvaluation *evaluation = report->evaluation;
  gsize index = (gsize)prediction->sample * report->truth.n_classes + prediction->class;

  g_string_append (report->html, "<p class=\"muted\">");
  for (guint r = 0; r + 1 < evaluation->n_rows; r++)
    html_add (report->html, "%s%s %.2f", r > 0 ? ", " : "", evaluation->rows[r].name,
              (double)evaluation->rows[r].scores[index]);
  html_add (report->html, "; threshold %.2f</p>",
            (double)report->best->classes[prediction->class].threshold);
}

static void
add_mistake (Report *report, const EnsPrediction *prediction, const char *verb)
{
  g_autofree char *truth = list_truth (report, prediction->sample);

  g_string_append (report->html, "<article class=\"card\">");
  report_add_picture (report, report->evaluation->paths[prediction->sample], THUMBNAIL_SIDE, NULL);
  html_add (report->html,
            "<div><p class=\"verdict\"><span>%s <b>%s</b></span><span>%.2f</span></p>"
            "<p>shows %s</p>",
            verb, report->classes[prediction->class], (double)prediction->score, truth);
  add_odds (report, prediction);
  add_opinions (report, prediction);
  page_add_file (report->html, report->evaluation->paths[prediction->sample]);
  g_string_append (report->html, "</div></article>\n");
}

static void
add_outcome (Report *report, EnsOutcome outcome, const char *title, const char *verb)
{
  g_autofree float *thresholds = report_thresholds (report, report->best);
  const EnsSelection selection = {outcome, thresholds, MAX_MISTAKES, MAX_MISTAKES};
  guint n;
  g_autofree EnsPrediction *predictions =
      ens_select_predictions (&report->truth, report->best->scores, &selection, &n);

  html_add (report->html, "<h3>%s</h3>\n", title);
  if (n == 0)
    g_string_append (report->html, "<p>None.</p>\n");
  g_string_append (report->html, "<div class=\"cards\">\n");
  for (guint i = 0; i < n; i++)
    add_mistake (report, &predictions[i], verb);
  g_string_append (report->html, "</div>\n");
}

void
report_add_mistakes (Report *report)
{
  html_add (
      report->html,
      "<section id=\"mistakes\">\n<h2>Worst errors</h2>\n<p>The errors of the %s with the highest "
      "confidence. Often it is the label that is wrong.</p>\n",
      report->row_names[report->evaluation->n_rows - 1]);
  add_outcome (report, ENS_FALSE_POSITIVE, "False positives", "Predicted");
  add_outcome (report, ENS_FALSE_NEGATIVE, "False negatives", "Missed");
  g_string_append (report->html, "</section>\n");
}

/* ---- Windows ---- */

static void
add_window (Report *report, const EnsPrediction *prediction)
{
  const EnsEvaluation *evaluation = report->evaluation;
  gsize index = (gsize)prediction->sample * report->truth.n_classes + prediction->class;

  g_string_append (report->html, "<article class=\"card\">");
  report_add_picture (report, report->evaluation->paths[prediction->sample], THUMBNAIL_SIDE,
                      &evaluation->windows[index]);
  html_add (report->html,
            "<div><p class=\"verdict\"><b>%s</b><span>%.2f</span></p>"
            "<p class=\"muted\">whole picture %.2f, with windows %.2f</p>",
            report->classes[prediction->class], (double)prediction->score,
            (double)evaluation->rows[evaluation->n_rows - 2].scores[index],
            (double)report->best->scores[index]);
  page_add_file (report->html, report->evaluation->paths[prediction->sample]);
  g_string_append (report->html, "</div></article>\n");
}

void
report_add_windows (Report *report)
{
  const EnsEvaluation *evaluation = report->evaluation;
  g_autofree float *thresholds = g_new0 (float, evaluation->n_classes);
  const EnsSelection selection = {ENS_TRUE_POSITIVE, thresholds, MAX_WINDOWS,
                                  MAX (MAX_WINDOWS / evaluation->n_classes, 1)};
  g_autofree EnsPrediction *predictions = NULL;
  guint n;

  if (evaluation->windows == NULL)
    return;
  predictions = ens_select_predictions (&report->truth, evaluation->window_scores, &selection, &n);
  g_string_append (report->html,
                   "<section id=\"windows\" class=\"windows\">\n<h2>Best windows</h2>\n<p>The "
                   "windows with the highest probabilities for classes that the pictures show.");
  if (n > 0 && predictions[0].score < NEGLIGIBLE_SCORE)
    g_string_append (report->html, " Windows don’t help on this set: training has made their "
                                   "probabilities too low to count.");
  g_string_append (report->html, "</p>\n<div class=\"cards\">\n");
  for (guint i = 0; i < n; i++)
    add_window (report, &predictions[i]);
  g_string_append (report->html, "</div>\n</section>\n");
}
