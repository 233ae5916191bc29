/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A real bundle, small enough to be made for every test. */
#pragma once

#include <glib.h>

/* Writes FOLDER/colours.ensemble: two networks that average a frame's colours, classes "red",
 * "green" and "blue", whose probability passes 0.5 where the frame's share of that colour passes
 * half of full brightness. Up to 10 windows. (transfer full) the bundle's path. */
char *colour_bundle_make (const char *folder);

/* Writes a style into it, BUNDLE/styles/NAME.onnx: of each pixel (R, G, B), 0 … 255, a matrix's
 * product. size: its property, or NULL. (transfer full) its path. */
char *colour_bundle_add_style (const char *bundle, const char *name, const float matrix[9],
                               const char *size);
/* Shifts colours round: red frames become green ones, and so on. */
extern const float colour_bundle_shift[9];

/* Removes a bundle, or any other folder. */
void colour_bundle_remove (const char *bundle);
