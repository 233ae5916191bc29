/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A training from the inside: what its steps share. */
#pragma once

#include "dataset/dataset.h"
#include "train/fit-network.h"
#include "train/fit.h"
#include "train/gate.h"

typedef struct {
  const EnsFitParams *params;
  EnsDevice *device;
  const EnsMonitor *monitor;
  EnsDataset *dataset;
  EnsDataset *unrelated; /* NULL: none */
  EnsBundle *bundle;
  const char **paths;                /* of the networks */
  GBytes **contents;                 /* of their files, as they go into the bundle */
  gboolean learnt[ENS_MAX_NETWORKS]; /* of networks: they were trained on the training images */
  EnsFitImages images;
  EnsFittedNetwork *networks;
  gboolean with_windows; /* whether there are decisions on windows */
  const EnsHead *head;
  double head_options[ENS_HEAD_MAX_OPTIONS]; /* before a network's own are chosen */
  EnsGateSettings gate_settings;
  EnsFittedGate gate; /* of the bundle's, if it has one */
} EnsFit;

/* What is needed for features: networks, and what they are to be told apart from. The data set is
 * loaded. */
gboolean ens_fit_prepare (EnsFit *fit, GError **error);
void ens_fit_clear (EnsFit *fit);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsFit, ens_fit_clear)
/* The folder for features. (transfer full) */
char *ens_fit_choose_cache (const EnsFitParams *params);

/* Network n of a bundle: what is given, and what follows for the rest. */
gboolean ens_fit_set_up_network (const EnsFitNetwork *given, const EnsBundle *bundle, guint n,
                                 EnsBundleNetwork *network, const EnsMonitor *monitor,
                                 GError **error);
/* The file as it is, if it has all weights; if others have some, the network written as one file.
 * confined: as EnsOnnxOptions has it. (transfer full) */
GBytes *ens_fit_read_network (const char *path, gboolean confined, const EnsMonitor *monitor,
                              GError **error);
/* The given name of a bundle, or if that is NULL its folder's without ".ensemble". (transfer full)
 */
char *ens_fit_choose_name (const char *folder, const char *given);
/* A bundle that knows its networks, and nothing learnt yet. */
gboolean ens_fit_set_up (EnsFit *fit, GError **error);

/* Chooses calibrations, weights and thresholds. Returns how well settings that were chosen likewise
 * on other images do on the validation split, of which n_broken could not be read. (transfer full)
 */
EnsEvaluation *ens_fit_fusion (EnsFit *fit, guint n_broken);

/* Sets the evaluation's findings on the data set, and the paths of its images, the validation
 * split's. */
gboolean ens_fit_diagnose (const EnsFit *fit, EnsFitFeatures *features, EnsEvaluation *evaluation,
                           GError **error);

/* Reads the gate's settings. The data set is loaded. */
gboolean ens_fit_prepare_gate (EnsFit *fit, GError **error);

/* What the gate compares with, as far as it is not in the data set: fills the features. */
gboolean ens_fit_fill_unrelated (EnsFit *fit, EnsFitFeatures *features,
                                 const EnsFrameOpener *opener, GError **error);

/* Gives the bundle a gate, unless params don't want one; its figures go into the evaluation. The
 * networks' weights are known. */
gboolean ens_fit_gate (EnsFit *fit, EnsFitFeatures *features, EnsEvaluation *evaluation,
                       GError **error);

/* The bundle's provenance. No time and no absolute path, so that the same input makes the same
 * bundle. (transfer full) */
char *ens_fit_describe_origin (const EnsFit *fit, const EnsFitFeatures *features,
                               const EnsEvaluation *evaluation);

gboolean ens_fit_write_bundle (EnsFit *fit, GError **error);
