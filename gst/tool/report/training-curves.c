/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "html.h"
#include "plot.h"
#include "training.h"

#define WIDTH 300
#define HEIGHT 220
/* Room for numbers such as 0.00025. */
#define MARGIN_LEFT 64

/* More points than this hide the curve. */
#define MAX_DOTS 50

/* A curve: a number of each epoch. */
typedef struct {
  const char *name, *style;
  gsize offset; /* in EnsLoopEpoch */
} Curve;

typedef struct {
  const char *title, *unit;
  Curve curves[2];
  guint n_curves;
  gboolean is_share; /* an accuracy: the axis ends at 1, and one class alone is always right */
} Chart;

static const Chart charts[] = {
    {"Loss",
     "loss",
     {{"training", "network-0", G_STRUCT_OFFSET (EnsLoopEpoch, loss)},
      {"validation", "best-row", G_STRUCT_OFFSET (EnsLoopEpoch, validation_loss)}},
     2,
     FALSE},
    {"Accuracy",
     "accuracy",
     {{"training", "network-0", G_STRUCT_OFFSET (EnsLoopEpoch, accuracy)},
      {"validation", "best-row", G_STRUCT_OFFSET (EnsLoopEpoch, validation_accuracy)}},
     2,
     TRUE},
    {"Learning rate",
     "rate",
     {{"rate", "second-row", G_STRUCT_OFFSET (EnsLoopEpoch, rate)}},
     1,
     FALSE},
};

static double
get_value (const GArray *history, guint epoch, const Curve *curve)
{
  return G_STRUCT_MEMBER (double, &g_array_index (history, EnsLoopEpoch, epoch), curve->offset);
}

/* NaN if a chart has nothing to show. */
static double
find_largest (const GArray *history, const Chart *chart)
{
  double largest = NAN;

  for (guint c = 0; c < chart->n_curves; c++)
    for (guint e = 0; e < history->len; e++)
      largest = fmax (largest, get_value (history, e, &chart->curves[c]));
  return largest;
}

/* The next number whose half is short too: 1, 2, 4, 6, 8 or 10 of a power of ten. */
static double
round_up (double value)
{
  static const double steps[] = {1, 2, 4, 6, 8, 10};
  double power = pow (10, floor (log10 (value)));

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (value <= steps[i] * power)
      return steps[i] * power;
  return 10 * power;
}

/* Where an epoch lies along the axis. */
static double
place (const GArray *history, guint epoch)
{
  return history->len > 1 ? (double)epoch / (history->len - 1) : 0.5;
}

/* Epochs that were not measured leave a gap. */
static void
add_curve (GString *html, const Plot *plot, const GArray *history, const Curve *curve, double top)
{
  const char *verb = "M";

  html_add (html, "<g class=\"%s\"><path class=\"curve\" d=\"", curve->style);
  for (guint e = 0; e < history->len; e++) {
    double value = get_value (history, e, curve);

    if (isfinite (value))
      html_add (html, "%s%.1f %.1f", verb, plot_x (plot, place (history, e)),
                plot_y (plot, value / top));
    verb = isfinite (value) ? "L" : "M";
  }
  g_string_append (html, "\"/>");
  for (guint e = 0; history->len <= MAX_DOTS && e < history->len; e++) {
    double value = get_value (history, e, curve);

    if (isfinite (value))
      html_add (html,
                "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"><title>epoch %u, %s: "
                "%.4g</title></circle>",
                plot_x (plot, place (history, e)), plot_y (plot, value / top), e + 1, curve->name,
                value);
  }
  g_string_append (html, "</g>");
}

static void
add_chart (GString *html, const GArray *history, guint best, const Chart *chart)
{
  double largest = find_largest (history, chart);
  double top = chart->is_share || !(largest > 0) ? 1 : round_up (largest);
  g_autofree char *half = g_strdup_printf ("%g", top / 2), *whole = g_strdup_printf ("%g", top);
  g_autofree char *middle = g_strdup_printf ("%u", (history->len + 1) / 2);
  g_autofree char *last = g_strdup_printf ("%u", history->len);
  const Plot plot = {.left = MARGIN_LEFT,
                     .top = PLOT_MARGIN_TOP,
                     .width = WIDTH - MARGIN_LEFT - PLOT_MARGIN_RIGHT,
                     .height = HEIGHT - PLOT_MARGIN_TOP - 32,
                     .x_name = "epoch",
                     .y_name = chart->unit,
                     .x_ticks = {history->len > 1 ? "1" : "", history->len % 2 == 1 ? middle : "",
                                 history->len > 1 ? last : ""},
                     .y_ticks = {"0", half, whole}};

  html_add (html,
            "<figure><figcaption><b>%s</b></figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"%s over epochs\">",
            chart->title, WIDTH, HEIGHT, chart->title);
  plot_add_axes (html, &plot, plot.top + plot.height);
  if (best < history->len)
    html_add (html, "<path class=\"ideal\" d=\"M%.1f %.1fv%.1f\"/>",
              plot_x (&plot, place (history, best)), plot.top, plot.height);
  for (guint c = 0; c < chart->n_curves; c++)
    add_curve (html, &plot, history, &chart->curves[c], top);
  g_string_append (html, "</svg></figure>\n");
}

static void
add_legend (GString *html)
{
  static const struct {
    const char *style, *name;
  } lines[] = {{"curve network-0", "training"},
               {"curve best-row", "validation"},
               {"ideal", "the best epoch, which is kept"}};

  g_string_append (html, "<ul class=\"legend\">\n");
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    html_add (html,
              "<li><svg viewBox=\"0 0 28 10\" aria-hidden=\"true\"><path class=\"%s\" "
              "d=\"M1 5h26\"/></svg>%s</li>\n",
              lines[i].style, lines[i].name);
  g_string_append (html, "</ul>\n");
}

static void
add_number (GString *html, double value)
{
  if (isnan (value))
    g_string_append (html, "<td class=\"none\">–</td>");
  else
    html_add (html, "<td>%.4g</td>", value);
}

static void
add_figures (GString *html, const GArray *history, guint best)
{
  g_string_append (html,
                   "<details><summary>All epochs in figures</summary><div class=\"scroll tall\" "
                   "tabindex=\"0\"><table>\n<thead><tr><th>epoch</th><th>loss</th>"
                   "<th>accuracy</th><th>validation loss</th><th>validation accuracy</th>"
                   "<th>learning rate</th></tr></thead>\n<tbody>\n");
  for (guint e = 0; e < history->len; e++) {
    const EnsLoopEpoch *epoch = &g_array_index (history, EnsLoopEpoch, e);

    html_add (html, "<tr class=\"%s\"><th scope=\"row\">%u</th>", e == best ? "best" : "other",
              e + 1);
    add_number (html, epoch->loss);
    add_number (html, epoch->accuracy);
    add_number (html, epoch->validation_loss);
    add_number (html, epoch->validation_accuracy);
    add_number (html, epoch->rate);
    g_string_append (html, "</tr>\n");
  }
  g_string_append (html, "</tbody></table></div></details>\n");
}

void
training_add_curves (GString *html, const GArray *history, const EnsRecipeResult *result)
{
  const guint best = result->loop.best_epoch;

  g_string_append (html, "<section id=\"training\">\n<h2>Training</h2>\n<p>A validation loss that "
                         "rises while the training loss falls is overfitting: more pictures, "
                         "stronger augmentation or frozen layers help. Losses that still fall at "
                         "the end ask for more epochs.</p>\n");
  add_legend (html);
  g_string_append (html, "<div class=\"charts wide\">\n");
  for (guint i = 0; i < G_N_ELEMENTS (charts); i++)
    if (!isnan (find_largest (history, &charts[i]))
        && (result->n_classes > 1 || !charts[i].is_share))
      add_chart (html, history, best, &charts[i]);
  g_string_append (html, "</div>\n");
  add_figures (html, history, best);
  g_string_append (html, "</section>\n");
}

void
training_add_terms (GString *html, const GArray *history, const char *const *names)
{
  g_string_append (html, "<section id=\"training\">\n<h2>Training</h2>\n<p>The terms of the "
                         "losses, each a mean over an epoch.</p>\n<div class=\"charts wide\">\n");
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree char *title = g_strdelimit (g_strdup (names[i]), "_", ' ');
    const Chart chart = {
        title, "loss", {{title, "network-0", G_STRUCT_OFFSET (EnsLoopEpoch, terms[i])}}, 1, FALSE};

    add_chart (html, history, G_MAXUINT, &chart);
  }
  g_string_append (html, "</div>\n</section>\n");
}
