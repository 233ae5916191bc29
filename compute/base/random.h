/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: seeded random numbers.
 *
 * A stream is named by a seed, a purpose, an epoch and an item. Its numbers depend on nothing else:
 * not on the machine, the number of threads, or which streams were drawn from before. A training
 * that is resumed draws what it would have drawn. Streams with different names are independent; no
 * state is shared, so threads may draw from different streams at the same time.
 *
 * The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011): block number, item, epoch and purpose are its counter, the seed its key.
 * It is not for cryptography. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One for each thing that is drawn at random, so that no two share a stream. Stored trainings rely
 * on the values: add new ones at the end. */
typedef enum {
  ENS_RANDOM_AUGMENT,  /* what is done to a picture */
  ENS_RANDOM_NOISE,    /* the noise added to it */
  ENS_RANDOM_EXCHANGE, /* which pictures of an epoch get their channels exchanged */
  ENS_RANDOM_WEIGHTS,  /* what layers begin with */
  ENS_RANDOM_ORDER,    /* of an epoch's pictures */
  ENS_RANDOM_PART,     /* which sub-images of a picture an epoch sees */
  ENS_RANDOM_DROPOUT,  /* which numbers of a step are dropped */
  ENS_RANDOM_EARLIER,  /* which earlier pictures a step sees again */
} EnsRandomPurpose;

typedef struct {
  guint64 seed;
  EnsRandomPurpose purpose;
  guint32 epoch; /* 0 for what is drawn once */
  guint32 item;  /* such as the index of a picture in its data set */
} EnsRandomStream;

/* A position in a stream of 2^34 numbers of 32 bits, after which it repeats. May be copied. */
typedef struct {
  /*< private >*/
  guint32 key[2];
  guint32 counter[4];
  guint32 words[4];
  guint n_words; /* how many of them are not used yet */
  double normal; /* the second number of a pair, or NaN */
} EnsRandom;

/* The beginning of a stream. */
void ens_random_init (EnsRandom *random, const EnsRandomStream *stream);

/* Uniform in 0 … 2^32 - 1. */
guint32 ens_random_next (EnsRandom *random);
/* Uniform in [0, 1), a multiple of 2^-53. */
double ens_random_uniform (EnsRandom *random);
/* Uniform in [low, high]; low ≤ high. */
double ens_random_between (EnsRandom *random, double low, double high);
/* Its logarithm is uniform in [log (low), log (high)]; 0 < low ≤ high. */
double ens_random_log_between (EnsRandom *random, double low, double high);
/* Each of 0 … n - 1 with exactly the same probability; n > 0. */
guint32 ens_random_below (EnsRandom *random, guint32 n);
/* TRUE with this probability: never for 0, always for 1. */
gboolean ens_random_chance (EnsRandom *random, double probability);
/* Mean 0, variance 1. */
double ens_random_normal (EnsRandom *random);

/* Brings the values into an order of which each has the same probability. */
void ens_random_shuffle (EnsRandom *random, guint32 *values, guint32 n);
/* Sets order to 0 … n - 1, shuffled. */
void ens_random_permutation (EnsRandom *random, guint32 *order, guint32 n);

G_END_DECLS
