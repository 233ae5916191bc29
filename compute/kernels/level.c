/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/level.h"

#include "kernels/kernels.h"

#define MAX_LEVELS 3

typedef struct {
  const EnsKernels *levels[MAX_LEVELS + 1]; /* NULL-terminated */
  const EnsKernels *chosen;
} Levels;

static void
find_levels (Levels *levels)
{
  guint n = 0;

  levels->levels[n++] = &ens_kernels_baseline;
#ifdef __x86_64__
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    levels->levels[n++] = &ens_kernels_avx2;
  if (n == 2 && __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512dq")
      && __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512vl"))
    levels->levels[n++] = &ens_kernels_avx512;
#endif
  levels->chosen = levels->levels[n - 1];
}

static gpointer
choose_level (gpointer unused)
{
  static Levels levels;
  const char *wanted = g_getenv ("ENSEMBLE_LEVEL");

  find_levels (&levels);
  for (guint i = 0; levels.levels[i] != NULL; i++)
    if (g_strcmp0 (wanted, levels.levels[i]->name) == 0)
      levels.chosen = levels.levels[i];
  return &levels;
}

static const Levels *
get_levels (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, choose_level, NULL);
}

const EnsKernels *
ens_kernels_get (void)
{
  return get_levels ()->chosen;
}

const EnsKernels *
ens_kernels_get_level (guint i)
{
  return i < MAX_LEVELS ? get_levels ()->levels[i] : NULL;
}

const char *
ens_kernels_name (const EnsKernels *kernels)
{
  return kernels->name;
}
