/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Charts of a report, as SVG: precision and recall, calibration. */
#include <math.h>

#include "html.h"
#include "plot.h"
#include "sections.h"

static void
add_legend (Report *report, const char *point)
{
  g_string_append (report->html, "<ul class=\"legend\">\n");
  for (guint r = report->evaluation->n_rows; r > 0; r--)
    html_add (report->html,
              "<li><svg viewBox=\"0 0 28 10\" aria-hidden=\"true\"><path class=\"curve %s\" "
              "d=\"M1 5h26\"/></svg>%s</li>\n",
              report_row_style (report, r - 1), report->row_names[r - 1]);
  if (point != NULL)
    html_add (report->html,
              "<li><svg viewBox=\"0 0 28 10\" aria-hidden=\"true\"><circle class=\"point\" "
              "cx=\"14\" cy=\"5\" r=\"3.5\"/></svg>%s</li>\n",
              point);
  g_string_append (report->html, "</ul>\n");
}

/* ---- Precision and recall ---- */

#define CURVES_WIDTH 230
#define CURVES_HEIGHT 210

/* Steps that would not be seen are left out. */
#define SMALLEST_STEP 0.4

/* The curve that average precision is the area under, as steps. */
static void
add_curve (Report *report, const Plot *plot, guint row, guint class)
{
  guint n;
  g_autofree EnsCurvePoint *curve =
      ens_precision_recall (&report->truth, report->evaluation->rows[row].scores, class, &n);
  double y = 0;

  if (n == 0)
    return;
  ens_curve_make_monotone (curve, n);
  html_add (report->html, "<path class=\"curve %s\" d=\"", report_row_style (report, row));
  for (guint p = 0; p < n; p++) {
    double next = plot_y (plot, curve[p].precision);

    if (p == 0)
      html_add (report->html, "M%.1f %.1f", plot->left, next);
    else if (next - y < SMALLEST_STEP)
      continue;
    else
      html_add (report->html, "H%.1fV%.1f", plot_x (plot, curve[p - 1].recall), next);
    y = next;
  }
  html_add (report->html, "H%.1f\"/>", plot_x (plot, curve[n - 1].recall));
}

static void
add_class_curves (Report *report, guint class)
{
  const EnsEvaluation *evaluation = report->evaluation;
  const EnsClassEvaluation *best = &report->best->classes[class];
  const Plot plot = {PLOT_MARGIN_LEFT,
                     PLOT_MARGIN_TOP,
                     CURVES_WIDTH - PLOT_MARGIN_LEFT - PLOT_MARGIN_RIGHT,
                     CURVES_HEIGHT - PLOT_MARGIN_TOP - 32,
                     "recall",
                     "precision"};
  GString *html = report->html;

  html_add (html, "<figure><figcaption><b title=\"%s\">%s</b>", report->classes[class],
            report->classes[class]);
  if (isnan (best->average_precision))
    g_string_append (html, "<span>no picture</span></figcaption>");
  else
    html_add (html, "<span>AP %.3f</span></figcaption>", best->average_precision);
  html_add (html,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Precision over recall, %s\">",
            CURVES_WIDTH, CURVES_HEIGHT, report->classes[class]);
  plot_add_axes (html, &plot, plot.top + plot.height);
  for (guint r = 0; r < evaluation->n_rows; r++)
    add_curve (report, &plot, r, class);
  if (!isnan (best->recall))
    html_add (html, "<circle class=\"point\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>",
              plot_x (&plot, best->recall), plot_y (&plot, best->precision));
  g_string_append (html, "</svg></figure>\n");
}

void
report_add_curves (Report *report)
{
  guint n;
  g_autofree guint *classes = report_weak_classes (report, &n);

  html_add (
      report->html,
      "<section id=\"curves\">\n<h2>Precision–recall curves</h2>\n<p>From the likeliest pictures "
      "on: how many of the class’s have been found, and how many of the found ones are "
      "right. The area below a curve is the average precision.");
  if (n < report->truth.n_classes)
    html_add (report->html, " Drawn are the %u of %u classes with the lowest.", n,
              report->truth.n_classes);
  g_string_append (report->html, "</p>\n");
  add_legend (report, "at the threshold");
  g_string_append (report->html, "<div class=\"charts\">\n");
  for (guint i = 0; i < n; i++)
    add_class_curves (report, classes[i]);
  g_string_append (report->html, "</div>\n</section>\n");
}

/* ---- Calibration ---- */

#define CALIBRATION_WIDTH 260
#define CALIBRATION_HEIGHT 290
#define COUNTS_HEIGHT 40
#define COUNTS_GAP 10

static void
add_reliability (GString *html, const Plot *plot, const EnsReliability *bins, const char *style)
{
  const char *verb = "M";

  html_add (html, "<path class=\"ideal\" d=\"M%.1f %.1fL%.1f %.1f\"/>", plot_x (plot, 0),
            plot_y (plot, 0), plot_x (plot, 1), plot_y (plot, 1));
  html_add (html, "<g class=\"%s\">", style);
  for (guint b = 0; b < REPORT_BINS; b++)
    if (bins[b].n > 0)
      html_add (html, "<path class=\"whisker\" d=\"M%.1f %.1fV%.1f\"/>",
                plot_x (plot, bins[b].mean), plot_y (plot, bins[b].low),
                plot_y (plot, bins[b].high));
  g_string_append (html, "<path class=\"curve\" d=\"");
  for (guint b = 0; b < REPORT_BINS; b++)
    if (bins[b].n > 0) {
      html_add (html, "%s%.1f %.1f", verb, plot_x (plot, bins[b].mean),
                plot_y (plot, bins[b].share));
      verb = "L";
    }
  g_string_append (html, "\"/>");
  for (guint b = 0; b < REPORT_BINS; b++)
    if (bins[b].n > 0)
      html_add (html,
                "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>%u probabilities, "
                "%.3f on average: %u were so, %.3f</title></circle>",
                plot_x (plot, bins[b].mean), plot_y (plot, bins[b].share), bins[b].n, bins[b].mean,
                bins[b].n_positive, bins[b].share);
  g_string_append (html, "</g>");
}

/* Bars below the plot, their lengths by the logarithm: most probabilities are low. */
static void
add_counts (GString *html, const Plot *plot, const EnsReliability *bins)
{
  double bottom = plot->top + plot->height + COUNTS_GAP + COUNTS_HEIGHT;
  double width = plot->width / REPORT_BINS;
  guint most = 1;

  for (guint b = 0; b < REPORT_BINS; b++)
    most = MAX (most, bins[b].n);
  for (guint b = 0; b < REPORT_BINS; b++) {
    double height = COUNTS_HEIGHT * log1p (bins[b].n) / log1p (most);

    html_add (html,
              "<rect class=\"count\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>"
              "%u probabilities from %.1f to %.1f</title></rect>",
              plot->left + b * width + 1, bottom - height, width - 2, height, bins[b].n,
              (double)b / REPORT_BINS, (double)(b + 1) / REPORT_BINS);
  }
  html_add (html, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%u</text>", plot->left - 5,
            bottom - COUNTS_HEIGHT + 8, most);
}

static void
add_calibration (Report *report, guint r)
{
  const EnsEvaluationRow *row = &report->evaluation->rows[r];
  double below = PLOT_MARGIN_TOP + COUNTS_GAP + COUNTS_HEIGHT + 32;
  const Plot plot = {PLOT_MARGIN_LEFT,
                     PLOT_MARGIN_TOP,
                     CALIBRATION_WIDTH - PLOT_MARGIN_LEFT - PLOT_MARGIN_RIGHT,
                     CALIBRATION_HEIGHT - below,
                     "probability",
                     "share that was so"};
  EnsReliability bins[REPORT_BINS];

  ens_reliability (&report->truth, row->scores, bins, REPORT_BINS);
  html_add (report->html,
            "<figure><figcaption><b>%s</b><span>error %.3f</span></figcaption>"
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Calibration of %s\">",
            report->row_names[r], ens_calibration_error (bins, REPORT_BINS), CALIBRATION_WIDTH,
            CALIBRATION_HEIGHT, report->row_names[r]);
  plot_add_axes (report->html, &plot, plot.top + plot.height + COUNTS_GAP + COUNTS_HEIGHT);
  add_counts (report->html, &plot, bins);
  add_reliability (report->html, &plot, bins, report_row_style (report, r));
  g_string_append (report->html, "</svg></figure>\n");
}

/* The ensemble's bins in figures. */
static void
add_bins (Report *report)
{
  EnsReliability bins[REPORT_BINS];
  GString *html = report->html;

  ens_reliability (&report->truth, report->best->scores, bins, REPORT_BINS);
  html_add (html,
            "<details><summary>The %s in figures</summary><div class=\"scroll\" "
            "tabindex=\"0\"><table>\n<thead>"
            "<tr><th>probability</th><th>how many</th><th>on average</th><th>were so</th>"
            "<th>share</th><th>from</th><th>to</th></tr></thead>\n<tbody>\n",
            report->row_names[report->evaluation->n_rows - 1]);
  for (guint b = 0; b < REPORT_BINS; b++) {
    html_add (html, "<tr><th scope=\"row\">%.1f – %.1f</th><td>%u</td>", (double)b / REPORT_BINS,
              (double)(b + 1) / REPORT_BINS, bins[b].n);
    html_add_share (html, bins[b].mean, FALSE);
    html_add (html, "<td>%u</td>", bins[b].n_positive);
    html_add_share (html, bins[b].share, FALSE);
    html_add_share (html, bins[b].low, FALSE);
    html_add_share (html, bins[b].high, FALSE);
    g_string_append (html, "</tr>\n");
  }
  g_string_append (html, "</tbody></table></div></details>\n");
}

void
report_add_calibration (Report *report)
{
  g_string_append (report->html,
                   "<section id=\"calibration\">\n<h2>Calibration (reliability "
                   "diagrams)</h2>\n<p>Of all probabilities "
                   "near 0.7, of whatever class, seven in ten should have been so: a good curve "
                   "follows the dotted line. Thin lines are where the share is to be expected with "
                   "95 % confidence; bars below count the probabilities, on a logarithmic "
                   "scale.</p>\n<div class=\"charts wide\">\n");
  for (guint r = report->evaluation->n_rows; r > 0; r--)
    add_calibration (report, r - 1);
  g_string_append (report->html, "</div>\n");
  add_bins (report);
  g_string_append (report->html, "</section>\n");
}
