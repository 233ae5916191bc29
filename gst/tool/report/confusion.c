/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which class is taken for which. */
#include <math.h>

#include "html.h"
#include "sections.h"

/* How many pairs are listed where a matrix would be too large. */
#define MAX_PAIRS 40

/* The confusion matrix, counts of pictures: rows what they show, columns what was predicted. Where
 * pictures show one class each, the diagonal is what was right; else it is what was missed, and a
 * last row counts pictures of no class. */
typedef struct {
  guint *counts;
  guint n_rows, n_columns;
  guint *totals; /* pictures of a row */
} Matrix;

static void
matrix_clear (Matrix *matrix)
{
  g_free (matrix->counts);
  g_free (matrix->totals);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Matrix, matrix_clear)

static guint
count_without_class (const EnsLabels *truth)
{
  guint n = 0;

  for (guint i = 0; i < truth->n_samples; i++)
    n += ens_labels_has_none (truth, i);
  return n;
}

static void
matrix_init (Matrix *matrix, const Report *report)
{
  const EnsEvaluation *evaluation = report->evaluation;
  guint n = evaluation->n_classes;

  *matrix = (Matrix) {.n_rows = n, .n_columns = n};
  matrix->totals = g_new0 (guint, n + 1);
  for (guint c = 0; c < n; c++)
    matrix->totals[c] = evaluation->n_positive[c];
  if (report->multi_label) {
    g_autofree float *thresholds = report_thresholds (report, report->best);

    matrix->counts = g_new (guint, (gsize)(n + 1) * n);
    ens_count_errors (&report->truth, report->best->scores, thresholds, matrix->counts);
    matrix->totals[n] = count_without_class (&report->truth);
    matrix->n_rows += matrix->totals[n] > 0;
  } else {
    matrix->counts = g_memdup2 (report->best->confusion, sizeof (guint) * n * n);
  }
}

static const char *
row_name (const Report *report, guint row)
{
  return row < report->evaluation->n_classes ? report->classes[row] : "no class";
}

static double
share_of_row (const Matrix *matrix, guint row, guint column)
{
  return matrix->totals[row] > 0
             ? (double)matrix->counts[row * matrix->n_columns + column] / matrix->totals[row]
             : 0;
}

/* ---- All of it ---- */

static void
add_cell (Report *report, const Matrix *matrix, guint row, guint column)
{
  guint count = matrix->counts[row * matrix->n_columns + column];
  double share = share_of_row (matrix, row, column);

  if (count == 0)
    html_add (report->html, "<td></td>");
  else if (row == column && !report->multi_label)
    html_add (report->html, "<td class=\"hit\" style=\"--a:%.2f\">%u</td>", share, count);
  else /* errors are few: their root can be seen */
    html_add (report->html, "<td class=\"miss\" style=\"--a:%.2f\">%u</td>", sqrt (share), count);
}

static void
add_matrix (Report *report, const Matrix *matrix)
{
  GString *html = report->html;

  html_add (html,
            "<div class=\"scroll matrix\" tabindex=\"0\"><table>\n<thead><tr><th>true ↓ &#160; %s "
            "→</th>",
            report->multi_label ? "wrongly predicted" : "predicted");
  for (guint d = 0; d < matrix->n_columns; d++)
    html_add (html, "<th title=\"%s\"><span>%s</span></th>", report->classes[d],
              report->classes[d]);
  g_string_append (html, "<th>pictures</th></tr></thead>\n<tbody>\n");
  for (guint c = 0; c < matrix->n_rows; c++) {
    html_add (html, "<tr><th scope=\"row\" title=\"%s\">%s</th>", row_name (report, c),
              row_name (report, c));
    for (guint d = 0; d < matrix->n_columns; d++)
      add_cell (report, matrix, c, d);
    html_add (html, "<td class=\"none\">%u</td></tr>\n", matrix->totals[c]);
  }
  g_string_append (html, "</tbody></table></div>\n");
}

/* ---- The worst of it ---- */

typedef struct {
  guint row, column, count;
} Pair;

static int
compare_pairs (gconstpointer a, gconstpointer b)
{
  const Pair *x = a, *y = b;

  if (x->count != y->count)
    return x->count > y->count ? -1 : 1;
  if (x->row != y->row)
    return x->row < y->row ? -1 : 1;
  return x->column < y->column ? -1 : x->column > y->column;
}

static void
add_pair (Report *report, const Matrix *matrix, const Pair *pair)
{
  gboolean missed = pair->row == pair->column;

  html_add (report->html, "<tr><th scope=\"row\">%s</th><td>%s</td><td>%u</td>",
            row_name (report, pair->row), missed ? "missed" : report->classes[pair->column],
            pair->count);
  html_add_share (report->html, share_of_row (matrix, pair->row, pair->column), TRUE);
  g_string_append (report->html, "</tr>\n");
}

static void
add_pairs (Report *report, const Matrix *matrix)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (Pair));

  for (guint c = 0; c < matrix->n_rows; c++)
    for (guint d = 0; d < matrix->n_columns; d++) {
      Pair pair = {c, d, matrix->counts[c * matrix->n_columns + d]};

      if (pair.count > 0 && (c != d || report->multi_label))
        g_array_append_val (pairs, pair);
    }
  g_array_sort (pairs, compare_pairs);
  html_add (report->html,
            "<div class=\"scroll\" tabindex=\"0\"><table "
            "class=\"pairs\">\n<thead><tr><th>true</th><th>%s</th>"
            "<th>pictures</th>"
            "<th>of the class</th></tr></thead>\n<tbody>\n",
            report->multi_label ? "wrongly predicted" : "predicted");
  for (guint i = 0; i < MIN (pairs->len, MAX_PAIRS); i++)
    add_pair (report, matrix, &g_array_index (pairs, Pair, i));
  g_string_append (report->html, "</tbody></table></div>\n");
}

void
report_add_confusion (Report *report)
{
  g_auto (Matrix) matrix = {0};
  gboolean whole = report->evaluation->n_classes <= REPORT_MAX_CLASSES;

  matrix_init (&matrix, report);
  html_add (report->html, "<section id=\"confusion\">\n<h2>%s</h2>\n<p>%s%s</p>\n",
            report->multi_label ? "Errors by what a picture shows" : "Confusion matrix",
            report->multi_label
                ? "A picture can show several classes. A row counts the pictures that show a "
                  "class: what was reported of them although it is not there and, where row and "
                  "column are the same class, that it was missed."
                : "Rows are the true class, columns the class with the highest probability. "
                  "Pictures of no class are not counted.",
            whole ? "" : " Listed are the most frequent.");
  if (whole)
    add_matrix (report, &matrix);
  else
    add_pairs (report, &matrix);
  g_string_append (report->html, "</section>\n");
}
