/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluation-table.h"

#include <math.h>
#include <string.h>

#include "table.h"
#include "text.h"

/* Nothing for what could not be measured. */
static void
add_share (ToolTable *table, double share)
{
  if (isnan (share))
    tool_table_cell (table, "–");
  else
    tool_table_cell (table, "%.3f", share);
}

static void
print_rows (const EnsEvaluation *evaluation)
{
  g_autoptr (ToolTable) table = tool_table_new ("model|>mAP|>accuracy|>precision|>recall|>F1");

  for (guint i = 0; i < evaluation->n_rows; i++) {
    const EnsEvaluationRow *row = &evaluation->rows[i];

    tool_table_row (table);
    tool_table_cell (table, "%s", row->name);
    add_share (table, row->mean_average_precision);
    add_share (table, row->accuracy);
    add_share (table, row->precision);
    add_share (table, row->recall);
    add_share (table, row->f1);
  }
  tool_table_print (table);
}

/* The last row's classes: the whole ensemble's. */
static void
print_classes (const EnsEvaluation *evaluation)
{
  const EnsEvaluationRow *row = &evaluation->rows[evaluation->n_rows - 1];
  g_autoptr (ToolTable) table =
      tool_table_new ("class|>images|>AP|>threshold|>precision|>recall|>F1");

  for (guint i = 0; i < evaluation->n_classes; i++) {
    const EnsClassEvaluation *class = &row->classes[i];

    tool_table_row (table);
    tool_table_cell (table, "%s", evaluation->classes[i]);
    tool_table_cell (table, "%u", evaluation->n_positive[i]);
    add_share (table, class->average_precision);
    add_share (table, class->threshold);
    add_share (table, class->precision);
    add_share (table, class->recall);
    add_share (table, class->f1);
  }
  g_print ("\n%s, by class:\n\n", row->name);
  tool_table_print (table);
}

/* What the gate keeps of what it should keep, and of what it should not. */
static void
print_gate (const EnsGateCounts *gate, guint n_images)
{
  double per_hundred = 100.0 / MAX (n_images, 1);

  g_print (
      "\nThe gate keeps %u of %u correct tags and withholds %u of %u wrong ones: %.1f wrong tags "
      "per 100 pictures with it, %.1f without.\n",
      gate->correct - gate->correct_withheld, gate->correct, gate->wrong_withheld, gate->wrong,
      per_hundred * (gate->wrong - gate->wrong_withheld), per_hundred * gate->wrong);
}

static void
print_false_alarms (const EnsEvaluation *evaluation)
{
  const EnsEvaluationRow *row = &evaluation->rows[evaluation->n_rows - 1];
  guint n_none, n = ens_evaluation_count_false_alarms (evaluation, row, &n_none);

  if (n_none == 0) {
    g_print ("\nfalse alarms: not measured, no image shows none of the classes\n");
    return;
  }
  g_print ("\nfalse alarms%s: %u of the %u images that show none of the classes (%.1f %%)",
           evaluation->gate != NULL || evaluation->gate_kind != NULL ? " without the gate" : "", n,
           n_none, 100.0 * n / n_none);
  if (evaluation->gate != NULL)
    g_print (", %u with it (%.1f %%)", evaluation->gate->false_alarms,
             100.0 * evaluation->gate->false_alarms / n_none);
  g_print ("\n");
}

static void
print_findings (const GPtrArray *findings)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < findings->len; i++) {
    g_string_append (text, "- ");
    tool_append_words (text, ((const EnsFinding *)findings->pdata[i])->text, 2, 2);
  }
  if (findings->len > 0)
    g_print ("\nThe data set:\n\n%s", text->str);
}

/* AUROC of all kinds of gate, a star at the one chosen. */
static void
print_gate_kinds (const EnsEvaluation *evaluation)
{
  g_autoptr (ToolTable) table = tool_table_new ("gate||>classes left out|>unrelated images|>mean");

  for (guint i = 0; i < evaluation->n_gate_figures; i++) {
    const EnsGateFigure *figure = &evaluation->gate_figures[i];

    tool_table_row (table);
    tool_table_cell (table, "%s", figure->kind);
    tool_table_cell (table, "%s", strcmp (figure->kind, evaluation->gate_kind) == 0 ? "*" : "");
    add_share (table, figure->left_out);
    add_share (table, figure->unrelated);
    add_share (table, figure->mean);
  }
  g_print ("\nHow well known images are told from others (AUROC), by kind of gate; %u unrelated "
           "images:\n\n",
           evaluation->n_unrelated);
  tool_table_print (table);
  g_print ("\nThe one marked (*) is used. Kinds with the probability rank all images, but images "
           "are tagged where it is high already, and of those the others tell more: such a kind is "
           "never chosen by itself, whatever its mean.\n");
}

void
tool_evaluation_print (const EnsEvaluation *evaluation)
{
  g_print ("%s on the %s split: %u images", evaluation->bundle, evaluation->split,
           evaluation->n_images);
  if (evaluation->n_skipped > 0)
    g_print (", %u more could not be read", evaluation->n_skipped);
  if (evaluation->cross_fitted)
    g_print ("; cross-fitted: all settings were chosen on other images");
  g_print ("\n\n");
  print_rows (evaluation);
  if (evaluation->n_rows > 0) {
    print_classes (evaluation);
    print_false_alarms (evaluation);
  }
  if (evaluation->gate_figures != NULL)
    print_gate_kinds (evaluation);
  if (evaluation->gate != NULL)
    print_gate (evaluation->gate, evaluation->n_images);
  if (evaluation->findings != NULL)
    print_findings (evaluation->findings);
}
