/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random numbers for the drawings. Everything drawn is a function of the seed: each picture has a
 * generator of its own, so one picture does not depend on how many were drawn before it. */
#pragma once

#include <glib.h>

static inline GRand *
random_for (guint32 seed, guint32 purpose, guint32 group, guint32 index)
{
  const guint32 words[] = {seed, purpose, group, index};

  return g_rand_new_with_seed_array (words, G_N_ELEMENTS (words));
}

static inline double
between (GRand *random, double low, double high)
{
  return low + (high - low) * g_rand_double (random);
}

static inline gboolean
chance (GRand *random, double probability)
{
  return g_rand_double (random) < probability;
}

static inline guint
pick (GRand *random, guint n)
{
  return g_rand_int_range (random, 0, n);
}
