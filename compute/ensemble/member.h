/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A member of the ensemble: one network with its classifiers, from a frame's pixels to
 * probabilities.
 *
 * Two graphs hold all of its arithmetic (M1.2–M1.5): one takes whole images at several scales,
 * one takes windows. Both contain the network, applied convolutionally, the taps, their average
 * over positions, the concatenation, the average over scales (of windows: over window sizes), the
 * linear classifiers with their calibration, and the sigmoid. They share weights. Where
 * settings->flip says so, features of whole images are the mean of the image's and its mirror
 * image's at each scale. A member without classifiers ends at the features: that is how training
 * gets them, from the same code. */
#pragma once

#include "engine/jobs.h"
#include "engine/network.h"
#include "ensemble/bundle.h"
#include "ensemble/member-geometry.h"

typedef struct _EnsMember EnsMember;

/* How many windows go through a network at once: enough to keep all cores busy, and few enough for
 * a plan to stay small. */
#define ENS_WINDOW_BATCH 16

/* The same of whole images, which are larger and come at several scales. */
#define ENS_WHOLE_BATCH 4

/* settings: taps, normalise, size, scales, flip, window_sizes and, with classifiers, the
 * calibrations are read, and must outlive the member. network, classifier, window_classifier, gate:
 * paths; classifier NULL for a member that gives features, window_classifier NULL for one that
 * takes no windows (a member that gives features takes them), gate NULL for one that gives no
 * similarities.
 */
typedef struct {
  const EnsBundleNetwork *settings;
  const char *network, *classifier, *window_classifier, *gate;
  guint n_classes;   /* with classifiers */
  const guint *only; /* of these classes, the one that is classified; NULL: all */
} EnsMemberSource;

/* (transfer full) */
EnsMember *ens_member_new (const EnsMemberSource *source, EnsDevice *device, GError **error);
void ens_member_free (EnsMember *member);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsMember, ens_member_free)

/* Values per frame or window that it gives: n_classes, or the number of features. */
guint ens_member_get_width (const EnsMember *member);
guint ens_member_get_n_features (const EnsMember *member);
gboolean ens_member_takes_windows (const EnsMember *member);
/* Whether it gives similarities beside probabilities (M2). */
gboolean ens_member_has_gate (const EnsMember *member);
const EnsMemberGeometry *ens_member_get_geometry (const EnsMember *member);
/* FALSE with an error if the network does not take images of these shorter sides, or they would
 * take more memory or operations than the device allows, as far as can be told without planning. */
gboolean ens_member_check_scales (EnsMember *member, const guint *scales, guint n_scales,
                                  GError **error);
/* What people should know of how its network was loaded: ens_network_get_notes (). */
const char *const *ens_member_get_notes (EnsMember *member);
/* Bytes of weights, packed forms included. */
gsize ens_member_get_weights_size (EnsMember *member);

/* The jobs of running a member. One thread at a time; any number on one member. */
typedef struct _EnsMemberJobs EnsMemberJobs;

EnsMemberJobs *ens_member_jobs_new (EnsMember *member);
/* The same in a queue with other jobs: results are there when the queue has run. The queue must
 * outlive them. (transfer full) */
EnsMemberJobs *ens_member_jobs_new_among (EnsMember *member, EnsJobs *queue);
void ens_member_jobs_free (EnsMemberJobs *jobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsMemberJobs, ens_member_jobs_free)

/* Images: a frame, or rectangles of one. */
typedef struct {
  const EnsFrame *frame;
  const EnsRect *rects; /* of whole images all of one width and height */
  guint n_rects;
  const guint *scales; /* of whole images */
  guint n_scales;      /* at least one */
  float *similarities; /* where those go, n_rects × n_classes; of a member with a gate only */
  float *features;     /* of whole images: where those go, n_rects × features; NULL: nowhere */
} EnsMemberImages;

/* Each image as a whole, scaled so that its shorter side is each of `scales` in turn, its aspect
 * ratio kept (but the longer side is at most four times the shorter: images that are longer still
 * are compressed); or as settings->framing says. A network that does not take such sizes gets the
 * nearest that it takes; one that takes a single size gets images cropped to its aspect ratio,
 * unless settings->framing says otherwise. Writes n_rects × width values. */
gboolean ens_member_jobs_run_whole (EnsMemberJobs *jobs, const EnsMemberImages *images,
                                    float *values, GError **error);

/* What an image asks for: multiplications and additions of the network, and pixels that
 * preprocessing makes of it. */
typedef struct {
  double operations, pixels;
} EnsMemberWork;

/* Of one image of ens_member_jobs_run_whole (): of the frame its size alone is read. FALSE with an
 * error if the network does not take it. Any thread. */
gboolean ens_member_count_whole (EnsMember *member, const EnsMemberImages *image,
                                 EnsMemberWork *work, GError **error);
/* Of one window, of a member that takes windows. */
gboolean ens_member_count_window (EnsMember *member, EnsMemberWork *work, GError **error);

/* Windows, each made a square of each of the window sizes, as settings->window_framing says.
 * Writes n_rects × width values. */
gboolean ens_member_jobs_run_windows (EnsMemberJobs *jobs, const EnsMemberImages *windows,
                                      float *values, GError **error);
