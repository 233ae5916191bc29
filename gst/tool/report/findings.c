/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with the data set, with pictures that show it. */
#include "html.h"
#include "page.h"
#include "sections.h"

/* There may be ten findings, of twelve pictures each. */
#define SIDE 160

#define MAX_NOTES 100

static void
add_finding (Report *report, const EnsFinding *finding)
{
  g_autofree char *text = html_clean (finding->text);

  html_add (report->html, "<article class=\"finding\">\n<p>%s</p>\n", text);
  if (finding->pictures->len > 0)
    g_string_append (report->html, "<div class=\"cards small\">\n");
  for (guint i = 0; i < finding->pictures->len; i++) {
    const EnsFindingPicture *picture = &g_array_index (finding->pictures, EnsFindingPicture, i);
    g_autofree char *caption = html_clean (picture->caption);

    g_string_append (report->html, "<article class=\"card\">");
    report_add_picture (report, picture->path, SIDE, NULL);
    html_add (report->html, "<div><p>%s</p>", caption);
    page_add_file (report->html, picture->path);
    g_string_append (report->html, "</div></article>\n");
  }
  if (finding->pictures->len > 0)
    g_string_append (report->html, "</div>\n");
  g_string_append (report->html, "</article>\n");
}

/* What was left out, by reason, and what had to be decided. */
static void
add_notes (Report *report)
{
  const GPtrArray *notes = report->evaluation->notes;

  if (notes == NULL || notes->len == 0)
    return;
  g_string_append (report->html, "<h3>What was left out, and how the set was read</h3>\n<ul>\n");
  for (guint i = 0; i < MIN (notes->len, MAX_NOTES); i++) {
    g_autofree char *note = html_clean (notes->pdata[i]);

    html_add (report->html, "<li>%s</li>\n", note);
  }
  if (notes->len > MAX_NOTES)
    html_add (report->html, "<li>and %u more</li>\n", notes->len - MAX_NOTES);
  g_string_append (report->html, "</ul>\n");
}

gboolean
report_has_findings (const Report *report)
{
  const EnsEvaluation *evaluation = report->evaluation;

  return (evaluation->findings != NULL && evaluation->findings->len > 0)
         || (evaluation->notes != NULL && evaluation->notes->len > 0);
}

void
report_add_findings (Report *report)
{
  const GPtrArray *findings = report->evaluation->findings;

  if (!report_has_findings (report))
    return;
  g_string_append (report->html,
                   "<section id=\"data\">\n<h2>Data set</h2>\n<p>What stands out in the "
                   "labelled pictures, and what to do about it.</p>\n");
  for (guint i = 0; findings != NULL && i < findings->len; i++)
    add_finding (report, findings->pdata[i]);
  add_notes (report);
  g_string_append (report->html, "</section>\n");
}
