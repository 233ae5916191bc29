/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* time-network MODEL SHAPE THREADS SECONDS [profile]: prints the time of the fastest run in
 * milliseconds; with `profile` also each node's share. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/network.h"

static double
time_run (EnsPlan *plan, const gconstpointer *inputs, const gpointer *outputs, EnsNodeTime *times)
{
  gint64 start = g_get_monotonic_time ();

  if (times != NULL)
    ens_plan_profile (plan, inputs, outputs, times, NULL);
  else
    ens_plan_run (plan, inputs, outputs, NULL);
  return (double)(g_get_monotonic_time () - start) / 1e3;
}

static void
print_profile (EnsPlan *plan, const EnsNodeTime *times, guint n_runs)
{
  for (guint i = 0; i < ens_plan_get_n_nodes (plan); i++) {
    double ms = (double)times[i].nanoseconds / n_runs / 1e6;

    printf ("%9.3f ms %7.1f GFLOP/s  %-20s %-20s %s\n", ms, times[i].flops / ms / 1e6, times[i].op,
            times[i].kernel, times[i].node);
  }
}

static gboolean
measure (char **argv, const EnsShape *shape, gboolean profile, GError **error)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", (guint)atoi (argv[3]), error);
  g_autoptr (EnsNetwork) network = ens_network_load (argv[1], device, error);
  g_autoptr (EnsPlan) plan = network != NULL ? ens_network_plan (network, shape, error) : NULL;
  g_autoptr (EnsTensor) input = NULL, output = NULL;
  g_autofree EnsNodeTime *times = NULL;
  double until = atof (argv[4]) * 1e3, total = 0, best = HUGE_VAL;
  guint n = 0;

  if (plan == NULL)
    return FALSE;
  input = ens_tensor_new (ENS_TYPE_FLOAT32, shape);
  output = ens_tensor_new (ENS_TYPE_FLOAT32, ens_plan_get_output_shape (plan, 0));
  for (gint64 i = 0; i < ens_shape_elements (shape); i++)
    ((float *)input->data)[i] = (float)(i % 255) / 127.5f - 1;
  times = profile ? g_new0 (EnsNodeTime, ens_plan_get_n_nodes (plan)) : NULL;
  time_run (plan, (const gconstpointer[]) {input->data}, (const gpointer[]) {output->data}, NULL);
  for (; total < until; n++) {
    double ms = time_run (plan, (const gconstpointer[]) {input->data},
                          (const gpointer[]) {output->data}, times);

    best = MIN (best, ms);
    total += ms;
  }
  printf ("%.4f\n", best);
  if (profile)
    print_profile (plan, times, n);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) dims = argc > 2 ? g_strsplit (argv[2], "x", ENS_MAX_RANK) : NULL;
  EnsShape shape = {0};

  setlocale (LC_ALL, "");
  for (; dims != NULL && dims[shape.rank] != NULL; shape.rank++)
    shape.dims[shape.rank] = g_ascii_strtoll (dims[shape.rank], NULL, 10);
  if (argc < 5 || ens_shape_elements (&shape) <= 0) {
    g_printerr ("usage: %s MODEL SHAPE THREADS SECONDS [profile]\n", argv[0]);
    return EXIT_FAILURE;
  }
  if (!measure (argv, &shape, argc > 5 && strcmp (argv[5], "profile") == 0, &error)) {
    g_printerr ("%s\n", error->message);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
