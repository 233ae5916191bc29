/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: the micro-kernel of matrix products and convolutions.
 *
 * A tile of rows × vectors accumulators stays in registers while the depth goes by: each step loads
 * one row of the packed panel and multiplies it by one broadcast value per tile row (Goto and van
 * de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008). Rows are reached through
 * pointers, so that a convolution needs no copy of its input (Dukhan, "The Indirect Convolution
 * Algorithm", 2019).
 *
 * Every sum runs over taps and depth in the same order in all tile sizes: results do not depend on
 * how an output is cut into tiles. */

typedef Vector Accumulators[TILE_ROWS][2];

/* Rows [first, first + n) of a tile of `rows`. */
ENS_INLINE void
tile_multiply (const EnsTile *tile, Vector sum[][2], const guint first, const guint n,
               const guint rows, const guint vectors)
{
  const float *panel = tile->panel, *ahead = tile->ahead;
  const gsize step = tile->ahead_step;

  for (guint tap = 0; tap < tile->taps; tap++) {
    const float *row[TILE_ROWS];

    ENS_UNROLLED (i, n)
      row[i] = tile->rows[tap * rows + first + i] + tile->offset;
    for (gsize k = 0; k < tile->depth; k++) {
      Vector b[2];

      ENS_UNROLLED (j, vectors)
        b[j] = vector_load (panel + j * LANES);
      panel += vectors * LANES;
      __builtin_prefetch (ahead, 0, 3);
      ahead += step;
      ENS_UNROLLED (i, n) {
        Vector a = vector_set (row[i][k]);

        ENS_UNROLLED (j, vectors)
          sum[first + i][j] += a * b[j];
      }
    }
  }
}

ENS_INLINE void
tile_store (Accumulators sum, float *to, gsize pitch, const guint rows, const guint vectors)
{
  ENS_UNROLLED (i, rows)
    ENS_UNROLLED (j, vectors)
      vector_store (to + i * pitch + j * LANES, sum[i][j]);
}

/* Full columns and no curve: finished while still in registers. */
ENS_INLINE void
tile_finish (Accumulators sum, const EnsFinish *finish, const guint rows, const guint vectors)
{
  const Vector low = vector_set (finish->low), high = vector_set (finish->high);

  if (finish->bias != NULL)
    ENS_UNROLLED (j, vectors) {
      Vector bias = vector_load (finish->bias + j * LANES);

      ENS_UNROLLED (i, rows)
        sum[i][j] += bias;
    }
  if (finish->residual != NULL)
    ENS_UNROLLED (i, rows)
      ENS_UNROLLED (j, vectors)
        sum[i][j] += vector_load (finish->residual + i * finish->residual_pitch + j * LANES);
  ENS_UNROLLED (i, rows)
    ENS_UNROLLED (j, vectors)
      sum[i][j] = vector_min (vector_max (sum[i][j], low), high);
  tile_store (sum, finish->output, finish->output_pitch, rows, vectors);
}

ENS_INLINE void
tile_run (const EnsTile *tile, const guint rows, const guint vectors)
{
  const guint width = vectors * LANES;
  Accumulators sum;

  ENS_UNROLLED (i, rows)
    ENS_UNROLLED (j, vectors)
      sum[i][j] = (Vector) {0};
  if (!tile->first)
    ENS_UNROLLED (i, rows)
      ENS_UNROLLED (j, vectors)
        sum[i][j] = vector_load (tile->partial + i * width + j * LANES);

  if (vectors == 1 && rows > 8) {
    /* Seven chains of sums are enough, and the pointers to their rows fit into registers. */
    tile_multiply (tile, sum, 0, rows / 2, rows, vectors);
    tile_multiply (tile, sum, rows / 2, rows - rows / 2, rows, vectors);
  } else {
    tile_multiply (tile, sum, 0, rows, rows, vectors);
  }

  if (tile->last && tile->columns == width && tile->finish->curve == ENS_ACTIVATION_NONE) {
    tile_finish (sum, tile->finish, rows, vectors);
  } else {
    tile_store (sum, tile->partial, width, rows, vectors);
    if (tile->last)
      finish_values (tile->partial, width, rows, tile->columns, tile->finish);
  }
}

#define TILE(rows)                                  \
  static void tile_##rows##x1 (const EnsTile *tile) \
  {                                                 \
    tile_run (tile, rows, 1);                       \
  }                                                 \
  static void tile_##rows##x2 (const EnsTile *tile) \
  {                                                 \
    tile_run (tile, rows, 2);                       \
  }

TILE (1)
TILE (2)
TILE (3)
TILE (4)
TILE (5)
TILE (6)
#if TILE_ROWS == 14
TILE (7)
TILE (8)
TILE (9)
TILE (10)
TILE (11)
TILE (12)
TILE (13)
TILE (14)
#endif

/* clang-format off */
#if TILE_ROWS == 14
#define TILES(v) \
  {tile_1x##v, tile_2x##v, tile_3x##v, tile_4x##v, tile_5x##v, tile_6x##v, tile_7x##v, \
   tile_8x##v, tile_9x##v, tile_10x##v, tile_11x##v, tile_12x##v, tile_13x##v, tile_14x##v}
#else
#define TILES(v) {tile_1x##v, tile_2x##v, tile_3x##v, tile_4x##v, tile_5x##v, tile_6x##v}
#endif
/* clang-format on */

static const EnsTileFunc tiles_1[TILE_ROWS] = TILES (1);
static const EnsTileFunc tiles_2[TILE_ROWS] = TILES (2);
