/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the gate keeps and withholds, and how its kinds compare. */
#include "html.h"
#include "sections.h"

static void
add_counts (GString *html, const EnsGateCounts *gate, guint n_images)
{
  double per_hundred = 100.0 / MAX (n_images, 1);

  html_add (html,
            "<p>The gate keeps %u of %u correct tags and withholds %u of %u wrong ones: %.1f wrong "
            "tags per 100 pictures with it, %.1f without.</p>\n",
            gate->correct - gate->correct_withheld, gate->correct, gate->wrong_withheld,
            gate->wrong, per_hundred * (gate->wrong - gate->wrong_withheld),
            per_hundred * gate->wrong);
}

static void
add_kind (GString *html, const EnsGateFigure *figure, gboolean is_used)
{
  html_add (html, "<tr class=\"%s\"><th scope=\"row\">%s%s</th>", is_used ? "best" : "other",
            figure->kind, is_used ? ", used" : "");
  html_add_share (html, figure->left_out, FALSE);
  html_add_share (html, figure->unrelated, FALSE);
  html_add_share (html, figure->mean, TRUE);
  g_string_append (html, "</tr>\n");
}

static void
add_kinds (Report *report)
{
  const EnsEvaluation *evaluation = report->evaluation;
  GString *html = report->html;

  g_string_append (html,
                   "<p>How well known pictures are told from others, by kind of gate: the area "
                   "under the ROC curve (AUROC), with own classes left out in turn");
  if (evaluation->n_unrelated > 0)
    html_add (html, " and with %u unrelated pictures", evaluation->n_unrelated);
  g_string_append (
      html, ". Kinds with the probability are never chosen by themselves: tagged pictures have a "
            "high one already.</p>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>"
            "<th>gate</th><th>classes left out</th><th>unrelated pictures</th><th>mean</th></tr>"
            "</thead>\n<tbody>\n");
  for (guint i = 0; i < evaluation->n_gate_figures; i++)
    add_kind (html, &evaluation->gate_figures[i],
              g_strcmp0 (evaluation->gate_figures[i].kind, evaluation->gate_kind) == 0);
  g_string_append (html, "</tbody></table></div>\n");
}

gboolean
report_has_gate (const Report *report)
{
  return report->evaluation->gate != NULL || report->evaluation->gate_figures != NULL;
}

void
report_add_gate (Report *report)
{
  if (!report_has_gate (report))
    return;
  g_string_append (report->html, "<section id=\"gate\">\n<h2>Gate</h2>\n");
  if (report->evaluation->gate != NULL)
    add_counts (report->html, report->evaluation->gate, report->evaluation->n_images);
  if (report->evaluation->gate_figures != NULL)
    add_kinds (report);
  g_string_append (report->html, "</section>\n");
}
