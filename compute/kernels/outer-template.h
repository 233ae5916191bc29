/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: the micro-kernel of products over pixels, whose inner dimension is the
 * outermost in memory of both matrices.
 *
 * Each step is an outer product: one row of A, a broadcast value per tile row, times one row of B,
 * one or two vectors. Rows are reached through pointers: of a convolution's input neither a matrix
 * nor a transposed copy is made. */

typedef Vector OuterSums[TILE_ROWS][2];

/* The last of a row's vectors, which may be short. */
ENS_INLINE Vector
outer_load_last (const float *p, guint lanes)
{
  return lanes == LANES ? vector_load (p) : vector_load_some (p, lanes);
}

ENS_INLINE void
outer_multiply (const EnsOuterTile *tile, OuterSums sum, const guint rows, const guint vectors,
                guint last)
{
  for (guint k = 0; k < tile->depth; k++) {
    const float *a = tile->a[k] + tile->a_offset, *b = tile->b[k] + tile->b_offset;
    Vector of_row[2];

    if (vectors == 2)
      of_row[0] = vector_load (b);
    of_row[vectors - 1] = outer_load_last (b + (vectors - 1) * LANES, last);
    ENS_UNROLLED (i, rows) {
      Vector x = vector_set (a[i]);

      ENS_UNROLLED (j, vectors)
        sum[i][j] += x * of_row[j];
    }
  }
}

ENS_INLINE void
outer_run (const EnsOuterTile *tile, const guint rows, const guint vectors)
{
  const guint last = tile->columns - (vectors - 1) * LANES;
  OuterSums sum;

  ENS_UNROLLED (i, rows) {
    const float *from = tile->sums + i * tile->pitch;

    ENS_UNROLLED (j, vectors)
      sum[i][j] = (Vector) {0};
    if (tile->first)
      continue;
    if (vectors == 2)
      sum[i][0] = vector_load (from);
    sum[i][vectors - 1] = outer_load_last (from + (vectors - 1) * LANES, last);
  }
  outer_multiply (tile, sum, rows, vectors, last);
  ENS_UNROLLED (i, rows) {
    float *to = tile->sums + i * tile->pitch;

    if (vectors == 2)
      vector_store (to, sum[i][0]);
    if (last == LANES)
      vector_store (to + (vectors - 1) * LANES, sum[i][vectors - 1]);
    else
      vector_store_some (to + (vectors - 1) * LANES, sum[i][vectors - 1], last);
  }
}

#define OUTER(rows)                                       \
  static void outer_##rows##x1 (const EnsOuterTile *tile) \
  {                                                       \
    outer_run (tile, rows, 1);                            \
  }                                                       \
  static void outer_##rows##x2 (const EnsOuterTile *tile) \
  {                                                       \
    outer_run (tile, rows, 2);                            \
  }

OUTER (1)
OUTER (2)
OUTER (3)
OUTER (4)
OUTER (5)
OUTER (6)
#if TILE_ROWS == 14
OUTER (7)
OUTER (8)
OUTER (9)
OUTER (10)
OUTER (11)
OUTER (12)
OUTER (13)
OUTER (14)
#endif

/* clang-format off */
#if TILE_ROWS == 14
#define OUTERS(v) \
  {outer_1x##v, outer_2x##v, outer_3x##v, outer_4x##v, outer_5x##v, outer_6x##v, outer_7x##v, \
   outer_8x##v, outer_9x##v, outer_10x##v, outer_11x##v, outer_12x##v, outer_13x##v, outer_14x##v}
#else
#define OUTERS(v) {outer_1x##v, outer_2x##v, outer_3x##v, outer_4x##v, outer_5x##v, outer_6x##v}
#endif
/* clang-format on */

static const EnsOuterFunc outer_1[TILE_ROWS] = OUTERS (1);
static const EnsOuterFunc outer_2[TILE_ROWS] = OUTERS (2);
