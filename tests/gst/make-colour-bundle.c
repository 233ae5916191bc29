/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the colour bundle into a folder and prints its path: for scripts. */
#include "colour-bundle.h"

int
main (int argc, char **argv)
{
  g_autofree char *bundle = NULL;

  if (argc != 2)
    return 2;
  bundle = colour_bundle_make (argv[1]);
  g_print ("%s\n", bundle);
  return 0;
}
