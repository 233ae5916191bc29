/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* usage: run-optimiser sgd|adam KEY=VALUE… < gradients
 *
 * Reads floats: one for each parameter's beginning, then one for each parameter and step, and
 * writes the parameters after the last step. Keys: n (parameters), rate, and the options'. */
#include <stdio.h>
#include <string.h>

#include "train/optimiser.h"

static double
get (char **arguments, const char *key)
{
  for (; *arguments != NULL; arguments++)
    if (g_str_has_prefix (*arguments, key) && (*arguments)[strlen (key)] == '=')
      return g_ascii_strtod (*arguments + strlen (key) + 1, NULL);
  return 0;
}

int
main (int argc, char *argv[])
{
  gsize n = (gsize)get (argv, "n");
  const EnsOptimiserOptions options = {
      .kind = argc > 1 && strcmp (argv[1], "adam") == 0 ? ENS_OPTIMISER_ADAM : ENS_OPTIMISER_SGD,
      .nesterov = get (argv, "nesterov") != 0,
      .decoupled_decay = get (argv, "decoupled") != 0,
      .momentum = get (argv, "momentum"),
      .beta1 = get (argv, "beta1"),
      .beta2 = get (argv, "beta2"),
      .epsilon = get (argv, "epsilon"),
      .decay = get (argv, "decay"),
      .clip = get (argv, "clip"),
  };
  const EnsParameterGroup group = {"parameters", n, 1, 1};
  g_autoptr (EnsOptimiser) optimiser = ens_optimiser_new (&options, &group, 1);
  g_autofree float *parameters = g_new0 (float, n);
  g_autofree float *gradients = g_new0 (float, n);

  if (fread (parameters, sizeof *parameters, n, stdin) != n)
    return 1;
  while (fread (gradients, sizeof *gradients, n, stdin) == n)
    ens_optimiser_step (optimiser, get (argv, "rate"), gradients, parameters);
  return fwrite (parameters, sizeof *parameters, n, stdout) == n ? 0 : 1;
}
