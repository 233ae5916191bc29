/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: whether anything has moved since a frame that was kept.
 *
 * Block means of the luma plane (of RGB: of its channels) are compared with those of the frame that
 * was kept, so that what moves slowly is noticed in the end. A block has changed if its mean
 * differs by more than the noise explains. The noise is the median over blocks of the difference
 * between successive frames, which things that move in less than half of the frame don't bear on;
 * it falls at once and rises slowly, so that a new scene is not taken for noise. All of it is
 * integer arithmetic, and the same frames give the same answers. */
#pragma once

#include "vision/frame.h"

G_BEGIN_DECLS

typedef struct _EnsMotion EnsMotion;

EnsMotion *ens_motion_new (void);
void ens_motion_free (EnsMotion *motion);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsMotion, ens_motion_free)

/* Forgets all frames. */
void ens_motion_reset (EnsMotion *motion);

/* The share of blocks that have changed since the frame that was kept; 1 if there is none, or it
 * had another size or format. Frames come in their order. */
double ens_motion_measure (EnsMotion *motion, const EnsFrame *frame);
/* Keeps the frame that was measured last. */
void ens_motion_keep (EnsMotion *motion);

/* By how many grey levels a block's mean has to differ. */
double ens_motion_get_threshold (const EnsMotion *motion);

G_END_DECLS
