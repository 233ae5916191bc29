/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with the data set, with pictures that show it. */
#include "html.h"
#include "page.h"
#include "sections.h"

/* There may be ten findings, of twelve pictures each. */
#define SIDE 160

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

void
report_add_findings (Report *report)
{
  const GPtrArray *findings = report->evaluation->findings;

  if (findings == NULL || findings->len == 0)
    return;
  g_string_append (report->html,
                   "<section id=\"data\">\n<h2>Data set</h2>\n<p>What stands out in the "
                   "labelled pictures, and what to do about it.</p>\n");
  for (guint i = 0; i < findings->len; i++)
    add_finding (report, findings->pdata[i]);
  g_string_append (report->html, "</section>\n");
}
