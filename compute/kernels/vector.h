/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: vectors of LANES floats, for the templates.
 *
 * GCC's vector extensions do the arithmetic; the few operations that they lack, or that compile
 * badly, are intrinsics where the level has them. */
#pragma once

#include <glib.h>

#include "base/simd.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

/* for (guint i = 0; i < n; i++), without the loop: n must be a constant once all is inlined. */
#define ENS_UNROLLED(i, n) _Pragma ("GCC unroll 64") for (guint i = 0; i < (n); i++)

typedef float Vector __attribute__ ((vector_size (LANES * 4)));
typedef gint32 VectorInt __attribute__ ((vector_size (LANES * 4)));
typedef float VectorAt __attribute__ ((vector_size (LANES * 4), aligned (4)));

ENS_INLINE Vector
vector_load (const float *p)
{
  return *(const VectorAt *)p;
}

ENS_INLINE void
vector_store (float *p, Vector v)
{
  *(VectorAt *)p = v;
}

/* x − 0 is x for every x, also −0; x + 0 is not, and would leave an addition in the code. */
ENS_INLINE Vector
vector_set (float x)
{
  return x - (Vector) {0};
}

ENS_INLINE Vector
vector_select (VectorInt mask, Vector a, Vector b)
{
  return (Vector)((mask & (VectorInt)a) | (~mask & (VectorInt)b));
}

/* max (x, low) and min (x, high): x if it is not a number. */
#if LANES == 16 && defined(__AVX512F__)
#define vector_max(x, low) ((Vector)_mm512_max_ps ((__m512)(low), (__m512)(x)))
#define vector_min(x, high) ((Vector)_mm512_min_ps ((__m512)(high), (__m512)(x)))
#elif LANES == 8 && defined(__AVX__)
#define vector_max(x, low) ((Vector)_mm256_max_ps ((__m256)(low), (__m256)(x)))
#define vector_min(x, high) ((Vector)_mm256_min_ps ((__m256)(high), (__m256)(x)))
#elif LANES == 4 && defined(__SSE2__)
#define vector_max(x, low) ((Vector)_mm_max_ps ((__m128)(low), (__m128)(x)))
#define vector_min(x, high) ((Vector)_mm_min_ps ((__m128)(high), (__m128)(x)))
#else
#define vector_max(x, low) vector_select ((x) < (low), low, x)
#define vector_min(x, high) vector_select ((x) > (high), high, x)
#endif

/* Lane i becomes x's lane index[i]. */
ENS_INLINE Vector
vector_permute (Vector x, VectorInt index)
{
#if LANES == 16 && defined(__AVX512F__)
  return (Vector)_mm512_permutexvar_ps ((__m512i)index, (__m512)x);
#elif LANES == 8 && defined(__AVX2__)
  return (Vector)_mm256_permutevar8x32_ps ((__m256)x, (__m256i)index);
#else
  Vector permuted;

  for (guint i = 0; i < LANES; i++)
    permuted[i] = x[index[i]];
  return permuted;
#endif
}

/* 0, 1, 2 … Set element by element it would be stored and loaded each time. */
ENS_INLINE VectorInt
vector_lanes (void)
{
  static const gint32 lanes[]
      __attribute__ ((aligned (64))) = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

  return *(const VectorInt *)lanes;
}

/* The first n lanes, 0 ≤ n ≤ LANES; the rest are zero when loaded and left alone when stored. */
#if LANES == 16 && defined(__AVX512F__)

ENS_INLINE Vector
vector_load_some (const float *p, guint n)
{
  return (Vector)_mm512_maskz_loadu_ps ((__mmask16)((1u << n) - 1), p);
}

ENS_INLINE void
vector_store_some (float *p, Vector v, guint n)
{
  _mm512_mask_storeu_ps (p, (__mmask16)((1u << n) - 1), (__m512)v);
}

#elif LANES == 8 && defined(__AVX2__)

ENS_INLINE __m256i
vector_first_lanes (guint n)
{
  return _mm256_cmpgt_epi32 (_mm256_set1_epi32 ((int)n),
                             _mm256_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7));
}

ENS_INLINE Vector
vector_load_some (const float *p, guint n)
{
  return (Vector)_mm256_maskload_ps (p, vector_first_lanes (n));
}

ENS_INLINE void
vector_store_some (float *p, Vector v, guint n)
{
  _mm256_maskstore_ps (p, vector_first_lanes (n), (__m256)v);
}

#else

ENS_INLINE Vector
vector_load_some (const float *p, guint n)
{
  Vector v = {0};

  for (guint i = 0; i < n; i++)
    v[i] = p[i];
  return v;
}

ENS_INLINE void
vector_store_some (float *p, Vector v, guint n)
{
  for (guint i = 0; i < n; i++)
    p[i] = v[i];
}

#endif
