/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The area of a chart. */
#pragma once

#include <glib.h>

#define PLOT_MARGIN_LEFT 40
#define PLOT_MARGIN_RIGHT 8
#define PLOT_MARGIN_TOP 8

/* Where 0 … 1 by 0 … 1 is drawn, in units of the drawing. */
typedef struct {
  double left, top, width, height;
  const char *x_name, *y_name;
  const char *x_ticks[3], *y_ticks[3]; /* what stands at 0, 1/2 and 1; NULL: these */
} Plot;

double plot_x (const Plot *plot, double x);
double plot_y (const Plot *plot, double y);
/* Grid, numbers and names of the axes. below: where the numbers of the horizontal axis stand. */
void plot_add_axes (GString *html, const Plot *plot, double below);
