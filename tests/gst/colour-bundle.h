/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A real bundle, small enough to be made for every test. */
#pragma once

#include <glib.h>

/* Writes FOLDER/colours.ensemble: two networks that average a frame's colours, classes "red",
 * "green" and "blue", whose probability passes 0.5 where the frame's share of that colour passes
 * half of full brightness. Up to 10 windows. (transfer full) the bundle's path. */
char *colour_bundle_make (const char *folder);

/* Removes a bundle, or any other folder. */
void colour_bundle_remove (const char *bundle);
