/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plot.h"

#include "html.h"

double
plot_x (const Plot *plot, double x)
{
  return plot->left + x * plot->width;
}

double
plot_y (const Plot *plot, double y)
{
  return plot->top + (1 - y) * plot->height;
}

static const char *
choose_text (const char *own, const char *usual)
{
  return own != NULL ? own : usual;
}

void
plot_add_axes (GString *html, const Plot *plot, double below)
{
  static const struct {
    double value;
    const char *text, *anchor;
  } ticks[] = {{0, "0", "start"}, {0.5, "0.5", "middle"}, {1, "1", "end"}};
  double middle = plot->top + plot->height / 2;

  for (guint i = 0; i < G_N_ELEMENTS (ticks); i++) {
    double x = plot_x (plot, ticks[i].value), y = plot_y (plot, ticks[i].value);

    html_add (html, "<path class=\"%s\" d=\"M%.1f %.1fv%.1fM%.1f %.1fh%.1f\"/>",
              i == 0 ? "axis" : "grid", x, plot->top, plot->height, plot->left, y, plot->width);
    html_add (html, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", x, below + 12,
              ticks[i].anchor, choose_text (plot->x_ticks[i], ticks[i].text));
    html_add (html, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>", plot->left - 5,
              y + 3.5, choose_text (plot->y_ticks[i], ticks[i].text));
  }
  html_add (html, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>",
            plot->left + plot->width / 2, below + 25, plot->x_name);
  html_add (html,
            "<text class=\"name\" x=\"9\" y=\"%.1f\" text-anchor=\"middle\" "
            "transform=\"rotate(-90 9 %.1f)\">%s</text>",
            middle, middle, plot->y_name);
}
