/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of a report: networks and ensemble, classes. */
#include <math.h>

#include "html.h"
#include "sections.h"

/* ---- At the top ---- */

static void
add_figure (GString *html, const char *name, double value, const char *explanation)
{
  html_add (html, "<div><dt>%s</dt><dd>", name);
  if (isnan (value))
    g_string_append (html, "–");
  else
    html_add (html, "%.3f", value);
  html_add (html, "<small>%s</small></dd></div>\n", explanation);
}

static void
add_figures (Report *report)
{
  const EnsEvaluationRow *best = report->best;
  GString *html = report->html;

  g_string_append (html, "<dl class=\"figures\">\n");
  add_figure (html, "mAP", best->mean_average_precision, "mean average precision");
  if (!report->multi_label)
    add_figure (html, "Accuracy", best->accuracy, "top-1: the likeliest class is right");
  add_figure (html, "Precision", best->precision, "what is reported is there");
  add_figure (html, "Recall", best->recall, "what is there is reported");
  if (report->multi_label)
    add_figure (html, "F1", best->f1, "harmonic mean of the two");
  add_figure (html, "Calibration error", report_calibration_error (report, best),
              "expected calibration error");
  g_string_append (html, "</dl>\n</header>\n");
}

/* ---- Networks and ensemble ---- */

/* The network with the highest mAP; -1 if there is none to compare with. */
static gint
best_network (const Report *report)
{
  const EnsEvaluation *evaluation = report->evaluation;
  gint best = -1;

  for (guint r = 0; r < evaluation->n_rows && !isnan (report->best->mean_average_precision); r++)
    if (g_str_has_prefix (report_row_style (report, r), "network")
        && (best < 0
            || evaluation->rows[r].mean_average_precision
                   > evaluation->rows[best].mean_average_precision))
      best = (gint)r;
  return best;
}

static void
add_comparison (Report *report)
{
  const EnsEvaluation *evaluation = report->evaluation;
  double ensemble = report->best->mean_average_precision;
  gint network = best_network (report);
  GString *html = report->html;

  g_string_append (html, "<p>");
  if (network >= 0)
    html_add (html, "Mean average precision, against the best network (%s): %+.3f",
              report->row_names[network],
              ensemble - evaluation->rows[network].mean_average_precision);
  if (network >= 0 && evaluation->windows != NULL)
    html_add (html, "; against the ensemble without windows: %+.3f",
              ensemble - evaluation->rows[evaluation->n_rows - 2].mean_average_precision);
  html_add (html,
            "%s Networks report what has a probability of 0.5 or more; the ensemble has a "
            "threshold for each class. Precision, recall and F1 are means over the classes."
            "</p>\n",
            network >= 0 ? "." : "");
}

static void
add_model (Report *report, guint r)
{
  const EnsEvaluationRow *row = &report->evaluation->rows[r];
  GString *html = report->html;

  g_string_append (html, row == report->best ? "<tr class=\"best\">" : "<tr>");
  html_add (html, "<th scope=\"row\">%s</th>", report->row_names[r]);
  html_add_share (html, row->mean_average_precision, TRUE);
  if (!report->multi_label)
    html_add_share (html, row->accuracy, FALSE);
  html_add_share (html, row->precision, FALSE);
  html_add_share (html, row->recall, FALSE);
  html_add_share (html, row->f1, FALSE);
  html_add_share (html, report_calibration_error (report, row), FALSE);
  g_string_append (html, "</tr>\n");
}

void
report_add_summary (Report *report)
{
  GString *html = report->html;

  add_figures (report);
  g_string_append (html, "<section id=\"models\">\n<h2>Networks and ensemble</h2>\n");
  add_comparison (report);
  html_add (html,
            "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th>model</th><th>mAP</th>");
  if (!report->multi_label)
    html_add (html, "<th>accuracy</th>");
  g_string_append (html, "<th>precision</th><th>recall</th><th>F1</th>"
                         "<th>calibration<br/>error</th></tr></thead>\n<tbody>\n");
  for (guint r = 0; r < report->evaluation->n_rows; r++)
    add_model (report, r);
  g_string_append (html, "</tbody></table></div>\n</section>\n");
}

/* ---- Classes ---- */

static void
add_class (Report *report, guint c)
{
  const EnsEvaluation *evaluation = report->evaluation;
  const EnsClassEvaluation *class = &report->best->classes[c];
  GString *html = report->html;

  html_add (html, "<tr><th scope=\"row\" title=\"%s\">%s</th><td>%u</td>", report->classes[c],
            report->classes[c], evaluation->n_positive[c]);
  for (guint r = 0; r < evaluation->n_rows; r++) {
    const EnsEvaluationRow *row = &evaluation->rows[r];

    html_add_share (html, row->classes[c].average_precision, row == report->best);
  }
  html_add (html, "<td>%.3f</td>", (double)class->threshold);
  html_add_share (html, class->precision, FALSE);
  html_add_share (html, class->recall, FALSE);
  html_add_share (html, class->f1, FALSE);
  g_string_append (html, "</tr>\n");
}

static void
add_false_alarms (Report *report)
{
  const EnsGateCounts *gate = report->evaluation->gate;
  gboolean has_gate = gate != NULL || report->evaluation->gate_kind != NULL;
  guint n_none, n = ens_evaluation_count_false_alarms (report->evaluation, report->best, &n_none);

  if (n_none == 0) {
    html_add (report->html, "<p>False alarms were not measured: every picture shows one of the "
                            "classes.</p>\n");
    return;
  }
  html_add (report->html,
            "<p>False alarms: %u of the %u pictures that show none of the classes are reported as "
            "one (%.1f %%)%s",
            n, n_none, 100.0 * n / n_none, has_gate ? " without the gate" : "");
  if (gate != NULL)
    html_add (report->html, ", %u with it (%.1f %%)", gate->false_alarms,
              100.0 * gate->false_alarms / n_none);
  html_add (report->html, ".</p>\n");
}

void
report_add_classes (Report *report)
{
  const EnsEvaluation *evaluation = report->evaluation;
  GString *html = report->html;

  html_add (
      html,
      "<section id=\"classes\">\n<h2>Classes</h2>\n<p>Average precision by each network and "
      "by the ensemble; threshold, precision, recall and F1 are those of the %s.</p>\n"
      "<div class=\"scroll tall\" tabindex=\"0\"><table>\n<thead>\n<tr><th rowspan=\"2\">class</th>"
      "<th rowspan=\"2\">pictures</th><th class=\"group\" colspan=\"%u\">average precision"
      "</th><th class=\"group\" colspan=\"4\">%s</th></tr>\n<tr class=\"sub\">",
      report->row_names[evaluation->n_rows - 1], evaluation->n_rows,
      report->row_names[evaluation->n_rows - 1]);
  for (guint r = 0; r < evaluation->n_rows; r++)
    html_add (html, "<th>%s</th>", report->row_names[r]);
  g_string_append (html, "<th>threshold</th><th>precision</th><th>recall</th><th>F1</th></tr>\n"
                         "</thead>\n<tbody>\n");
  for (guint c = 0; c < evaluation->n_classes; c++)
    add_class (report, c);
  g_string_append (html, "</tbody></table></div>\n");
  add_false_alarms (report);
  g_string_append (html, "</section>\n");
}
