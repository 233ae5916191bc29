/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/blas.h"

#include <cblas.h>

#include "kernels/conv-method.h"

/* OpenBLAS that was built without threads (Debian: libopenblas0-serial) gives one buffer to all
 * that call it at the same time, and wrong products to them: they wait for each other. */
static GMutex one_at_a_time;

static void
enter_blas (void)
{
  if (openblas_get_parallel () == OPENBLAS_SEQUENTIAL)
    g_mutex_lock (&one_at_a_time);
}

/* Kernels of OpenBLAS return with the upper halves of vector registers in use. Until these are
 * cleared, instructions that write the lower halves alone, as all of the baseline kernels' do, are
 * several times slower. */
#ifdef __x86_64__
__attribute__ ((target ("avx"))) static void
clear_upper_halves (void)
{
  __builtin_ia32_vzeroupper ();
}
#endif

static void
leave_blas (void)
{
  if (openblas_get_parallel () == OPENBLAS_SEQUENTIAL)
    g_mutex_unlock (&one_at_a_time);
#ifdef __x86_64__
  if (__builtin_cpu_supports ("avx"))
    clear_upper_halves ();
#endif
}

void
ens_blas_multiply_tile (const EnsBlasProduct *product)
{
  enter_blas ();
  for (guint k = 0; k < product->inner; k += ENS_BLAS_TILE)
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int)product->rows, (int)product->columns,
                 (int)MIN (product->inner - k, ENS_BLAS_TILE), 1, product->a + k,
                 (int)product->a_pitch, product->b + k, (int)product->b_pitch, k > 0 ? 1 : 0,
                 product->c, (int)product->c_pitch);
  leave_blas ();
}

/* ---- Sums in float64 ---- */

typedef struct {
  const EnsBlasProduct *product;
  const float *bias;
  guint column_tiles;
} Product;

typedef double Tile[ENS_BLAS_TILE][ENS_BLAS_TILE];

static void
widen (const float *values, gsize pitch, guint rows, guint columns, Tile tile)
{
  for (guint i = 0; i < rows; i++)
    for (guint j = 0; j < columns; j++)
      tile[i][j] = values[i * pitch + j];
}

static void
multiply_task (gpointer data, guint task, guint worker)
{
  const Product *divided = data;
  const EnsBlasProduct *product = divided->product;
  const guint row = task / divided->column_tiles * ENS_BLAS_TILE;
  const guint column = task % divided->column_tiles * ENS_BLAS_TILE;
  const guint rows = MIN (product->rows - row, ENS_BLAS_TILE);
  const guint columns = MIN (product->columns - column, ENS_BLAS_TILE);
  Tile a, b, c;

  widen (divided->bias + column, 0, rows, columns, c);
  for (guint k = 0; k < product->inner; k += ENS_BLAS_TILE) {
    const guint inner = MIN (product->inner - k, ENS_BLAS_TILE);

    widen (product->a + row * product->a_pitch + k, product->a_pitch, rows, inner, a);
    widen (product->b + column * product->b_pitch + k, product->b_pitch, columns, inner, b);
    enter_blas ();
    cblas_dgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)columns, (int)inner, 1,
                 a[0], ENS_BLAS_TILE, b[0], ENS_BLAS_TILE, 1, c[0], ENS_BLAS_TILE);
    leave_blas ();
  }
  for (guint i = 0; i < rows; i++)
    for (guint j = 0; j < columns; j++)
      product->c[(row + i) * product->c_pitch + column + j] = (float)c[i][j];
}

void
ens_blas_multiply_float64 (const EnsBlasProduct *product, const float *bias, EnsThreadPool *pool)
{
  const guint row_tiles = ens_divide_up (product->rows, ENS_BLAS_TILE);
  Product divided = {product, bias, ens_divide_up (product->columns, ENS_BLAS_TILE)};

  ens_thread_pool_run (pool, row_tiles * divided.column_tiles, multiply_task, &divided);
}

void
ens_blas_use_one_thread (void)
{
  openblas_set_num_threads (1);
}
