/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the bundle, a folder NAME.ensemble with everything an ensemble is.
 *
 * ensemble.json holds what a person may want to read or edit; *.onnx files hold what is numeric:
 * networks and linear classifiers. Paths stay inside the folder. */
#pragma once

#include "base/error.h"
#include "classify/fusion.h"
#include "classify/time-filter.h"
#include "vision/frame.h"
#include "vision/selective-search.h"

G_BEGIN_DECLS

#define ENS_BUNDLE_SCHEMA "gst-ensemble/bundle/2"
/* What version 1 lacks: fusion of log odds, and thresholds of their own without windows. */
#define ENS_BUNDLE_SCHEMA_1 "gst-ensemble/bundle/1"

/* What bundles and users' settings may hold. Sides are in pixels. */
#define ENS_MAX_CLASSES 10000
#define ENS_MAX_NETWORKS 64
#define ENS_MAX_SCALES 8
#define ENS_MIN_SCALE 16 /* of users' settings */
#define ENS_MAX_SIDE 4096
#define ENS_MAX_WINDOWS 10000
#define ENS_MAX_SUB_IMAGES 1024
#define ENS_MIN_SUB_IMAGE_SIZE 16
#define ENS_MAX_OVERLAP 0.9F

typedef enum {
  ENS_ROLE_ORIGINAL,  /* trained on a large general set: classifies the whole frame (P2) */
  ENS_ROLE_RETRAINED, /* knows the user's classes: classifies the whole frame (P1) and windows (P3)
                       */
  ENS_ROLE_ZERO_SHOT, /* knows zero-shot classes alone, which no other role knows: classifies the
                         whole frame; their P2 and P */
  ENS_N_ROLES,
} EnsRole;

/* By value, up to a NULL. */
extern const char *const ens_role_names[];

typedef struct {
  char *name;
  EnsRole role;
  char *network;    /* file of the network, relative to the folder */
  char *classifier; /* file of its linear classifiers: Gemm, features → decision values */
  char **taps;      /* names of values, NULL-terminated; features are concatenated in this order */
  EnsNormalise normalise;
  /* Of the whole frame; `crop` is the share of its shorter side that ENS_FRAMING_CROP leaves, in
   * (0, 1]. Windows always become squares: ENS_FRAMING_SCALE stretches them too. */
  EnsFraming framing, window_framing;
  float crop;
  guint size;    /* side of the square input the network was made for */
  guint *scales; /* shorter sides of the whole frame, ascending */
  guint n_scales;
  gboolean flip; /* features of the whole frame are the mean of its own and its mirror image's */
  float weight;  /* among the networks of its role; each role's sum to 1 */
  EnsCalibration *calibration; /* per class, of decision values on the whole frame */
  /* The same for windows; NULL and 0 in networks that don't classify them. */
  char *window_classifier;
  guint *window_sizes; /* sides a window is scaled to, ascending */
  guint n_window_sizes;
  EnsCalibration *window_calibration;
} EnsBundleNetwork;

/* Whole frames scaled, windows stretched: nothing that anybody would have to be told. */
gboolean ens_bundle_network_is_plainly_framed (const EnsBundleNetwork *network);

/* How frames larger than the training images are divided into sub-images (tiles; M1.9). */
typedef struct {
  /* Their side in the frame's pixels: that of a square with as many pixels as the training images
   * have (the median). 0: not known; frames then do not count as large. */
  guint size;
  float overlap;    /* of neighbours, at least, as a share of their side: 0 to 0.9 */
  float large_from; /* a frame is large if it has so many times the pixels of a sub-image in each
                     * direction, on average; at least 1 */
  guint count;      /* at most: of frames that would have more, sub-images are larger */
} EnsSubImageSettings;

#define ENS_SUB_IMAGE_DEFAULTS \
  ((EnsSubImageSettings) {.overlap = 0.25F, .large_from = 2, .count = 32})

/* Similarities at which a class is reported. NaN: whatever the similarity. */
typedef struct {
  float low, high;
} EnsGateRange;

/* A similarity that is NaN lies in no range. */
gboolean ens_gate_range_accepts (const EnsGateRange *range, float similarity);

/* The similarity gate (M2): a class is withheld from images that are not similar enough to its
 * training images. */
typedef struct {
  char *network;        /* name of the network whose features are compared */
  char *file;           /* relative to the folder: features → similarities (N, n_classes) */
  char *kind;           /* how they are compared, for people */
  float keep;           /* share of correct labels that the ranges were made to keep */
  EnsGateRange *ranges; /* per class */
} EnsBundleGate;

/* How a stream's results become states and events. */
typedef struct {
  EnsTimeSettings all;
  EnsTimeSettings *classes; /* per class: all, and what the class has of its own */
} EnsBundleEvents;

typedef struct {
  char *name, *version;
  char *folder;   /* absolute; NULL for a bundle that has not been saved */
  char **classes; /* NULL-terminated */
  guint n_classes;
  /* The last ones, which zero-shot networks know and no others (train/zero-shot.h). What is said of
   * all classes together, such as that they exclude each other, is said of those before. */
  guint n_zero_shot;
  /* The one class that was kept, by its index among those of the classifiers' files; NULL: all. */
  guint *only;
  char **file_classes; /* these, NULL-terminated; NULL: the same */
  EnsBundleNetwork *networks;
  guint n_networks;
  EnsFusionKind fusion;    /* classify/fusion.h */
  float window_weight;     /* w of P1 */
  float whole_weight;      /* the same without windows */
  float *thresholds;       /* per class */
  float *whole_thresholds; /* the same without windows; NULL: no others */
  /* Of log odds alone. */
  float window_share;
  EnsCalibration *calibration, *whole_calibration; /* per class */
  gboolean exclusive;                              /* whether classes exclude each other */
  EnsCalibration softmax, whole_softmax;           /* if they do */
  guint windows;                                   /* how many; 0 for none */
  EnsWindowsPreset windows_preset;
  EnsSubImageSettings sub_images;
  EnsBundleGate *gate;     /* NULL: none */
  EnsBundleEvents *events; /* NULL: ENS_TIME_DEFAULTS for all classes */
  char *provenance; /* JSON text of an object: how it was made and what accuracy was measured */
} EnsBundle;

/* How P comes about, and from which P on a class is present, with windows or without. */
EnsFusion ens_bundle_get_fusion (const EnsBundle *bundle, gboolean with_windows);
const float *ens_bundle_get_thresholds (const EnsBundle *bundle, gboolean with_windows);

/* P of one row of classes: of zero-shot ones their P2, of the others by their fusion. p3 NULL
 * without windows. */
void ens_bundle_fuse (const EnsBundle *bundle, const float *p1, const float *p2, const float *p3,
                      float *p);
/* Whether a class is one that networks of the role know. */
gboolean ens_bundle_role_knows (const EnsBundle *bundle, EnsRole role, guint class);

EnsTimeSettings ens_bundle_get_time_settings (const EnsBundle *bundle, guint class);

/* The networks of a role, in the bundle's order. */
typedef struct {
  guint n;
  guint index[ENS_MAX_NETWORKS]; /* in the bundle */
  float weights[ENS_MAX_NETWORKS];
} EnsRoleNetworks;

EnsRoleNetworks ens_bundle_list_role (const EnsBundle *bundle, EnsRole role);

/* Reads ensemble.json and checks it and that the files it names exist; they are not opened. A
 * member that is unknown, missing or out of range is an error that names it, and so is a newer
 * schema, or a path that leads out of the folder. (transfer full) */
EnsBundle *ens_bundle_load (const char *folder, GError **error);
void ens_bundle_free (EnsBundle *bundle);
/* What its files on disk are now: which, how large, changed when. As long as it is the same, so is
 * what they hold. (transfer full) */
char *ens_bundle_stamp (const EnsBundle *bundle);
/* Leaves one class alone (M1.5). Where classes exclude each other, P is then the class's calibrated
 * probability by itself, and 0.5 its threshold: thresholds are of P beside the other classes. FALSE
 * with an error that lists the classes if it is none of them. */
gboolean ens_bundle_keep_class (EnsBundle *bundle, const char *name, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsBundle, ens_bundle_free)

G_END_DECLS
