/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes one of the tool's documents to standard output, while building. */
#include "documents.h"

#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  char *(*write) (void);
} documents[] = {
    {"manual", tool_manual},
    {"bash", tool_bash_completion},
    {"fish", tool_fish_completion},
    {"zsh", tool_zsh_completion},
};

int
main (int argc, char **argv)
{
  for (guint i = 0; argc == 2 && i < G_N_ELEMENTS (documents); i++)
    if (strcmp (argv[1], documents[i].name) == 0) {
      g_autofree char *text = documents[i].write ();

      return fputs (text, stdout) < 0 || fflush (stdout) != 0;
    }
  fprintf (stderr, "Usage: write-document manual|bash|fish|zsh\n");
  return 2;
}
