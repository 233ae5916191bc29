/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The graphs of a member. */
#pragma once

#include "ensemble/bundle.h"
#include "ensemble/member-geometry.h"
#include "graph/graph.h"

/* The network from a batch of images of any size (N, h, w, channels) to their features (N,
 * *n_features): taps, each averaged over its positions, side by side. Fully connected layers have
 * become convolutions, so that a tap behind them gives one vector for each position of a
 * size × size image within a larger one. What does not depend on sizes is folded. confined: as
 * EnsOnnxOptions has it. (transfer full) */
EnsGraph *ens_member_body (const char *path, gboolean confined, const EnsBundleNetwork *settings,
                           guint *n_features, EnsMemberGeometry *geometry, GError **error);
/* The geometry alone: settings' size, taps and normalise are read. */
gboolean ens_member_read_geometry (const char *path, const EnsBundleNetwork *settings,
                                   EnsMemberGeometry *geometry, GError **error);

/* Linear classifiers, or a gate, as their file has them, checked: (N, n_features) → decision
 * values, or similarities, (N, n_classes). (transfer full) */
EnsGraph *ens_member_load_classifier (const char *path, guint n_features, guint n_classes,
                                      GError **error);

/* The same graph for one of its n_classes classes alone: (N, n_features) → (N, 1). Takes the graph
 * over. (transfer full) */
EnsGraph *ens_member_select_class (EnsGraph *graph, guint n_classes, guint class);

/* What comes behind the features. */
typedef struct {
  const EnsGraph *classifier; /* NULL: nothing; the features are the output */
  const EnsCalibration *calibration;
  guint n_classes;
  const EnsGraph *gate; /* NULL: none */
  gboolean features;    /* are an output, too */
} EnsMemberHead;

/* n_inputs images of different sizes, each through the body (flip: and each one's mirror image),
 * their features averaged; then the classifier and the calibrated sigmoid of its n_classes decision
 * values. With a gate similarities are another output, and so are features if they are wanted. The
 * parts' constants are shared. (transfer full) */
EnsGraph *ens_member_join (const EnsGraph *body, guint n_inputs, gboolean flip,
                           const EnsMemberHead *head);

/* Of networks whose files leave their images' size open. */
#define ENS_STANDARD_SIZE 224

/* The shorter side of the images that the file says the network is for; ENS_STANDARD_SIZE where it
 * leaves it open. 0 with an error if it can't be read. */
guint ens_member_standard_size (const char *path, GError **error);

/* Names of the taps used where nobody has chosen: the network's last layers before a softmax, the
 * last first (its scores, what they are computed from …), ENS_DEFAULT_TAPS of them, at least two;
 * without those that a concatenation joins, and much narrower ones between wide ones.
 * NULL-terminated. (transfer full) */
#define ENS_DEFAULT_TAPS 4
char **ens_member_default_taps (const char *path, guint size, GError **error);
