/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a picture looks like from afar: for finding copies of it that were scaled, compressed again,
 * made brighter or mirrored.
 *
 * A picture is shrunk to 16×16 pixels of luma, stretched to a square. Its hash is the signs of the
 * 63 lowest frequencies of the discrete cosine transform, against their median: copies differ in
 * few bits, others in about half of them. Where the hashes agree, the correlation of the small
 * pictures themselves tells chance from copies.
 *
 * Source: C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010
 * (pHash's DCT hash). */
#pragma once

#include "base/thread-pool.h"
#include "vision/frame.h"

#define ENS_PICTURE_HASH_SIDE 16
#define ENS_PICTURE_HASH_PIXELS (ENS_PICTURE_HASH_SIDE * ENS_PICTURE_HASH_SIDE)

/* Bits that may differ, and the correlation, of what is called near copies. Different things of a
 * kind before the same background differ in 8 bits or more, and correlate up to 0.98. */
#define ENS_NEAR_COPY_BITS 6
#define ENS_NEAR_COPY_CORRELATION 0.95F

/* pixels: ENS_PICTURE_HASH_PIXELS values 0 … 255, row by row. */
void ens_picture_hash_shrink (const EnsFrame *frame, EnsThreadPool *pool, float *pixels);

typedef struct {
  guint64 bits, mirrored; /* of the picture, and of its mirror image */
  /* The small picture less its mean, of length 1; 0 where all pixels are alike. */
  float pixels[ENS_PICTURE_HASH_PIXELS];
} EnsPictureHash;

void ens_picture_hash_init (EnsPictureHash *hash, const float *pixels);

/* Whether one is nearly a copy of the other, perhaps a mirrored one. Pictures of one colour are
 * copies of none. */
gboolean ens_picture_hash_match (const EnsPictureHash *a, const EnsPictureHash *b);
