/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sources that preprocess.c asks in turn. Each sets the parts that it knows and that none has
 * set before. */
#pragma once

#include "graph/graph.h"
#include "onnx/about.h"
#include "train/preprocess.h"

void ens_preprocess_from_files (EnsPreprocess *preprocess, const char *path, const EnsGraph *graph);
/* How the network was trained, by preprocessor_config.json and config.json; asked after the graph,
 * which may do the same itself. */
void ens_preprocess_from_configs (EnsPreprocess *preprocess, const char *path);
void ens_preprocess_from_properties (EnsPreprocess *preprocess, const char *path,
                                     GHashTable *properties);
void ens_preprocess_from_graph (EnsPreprocess *preprocess, const EnsGraph *graph);
void ens_preprocess_guess (EnsPreprocess *preprocess, const EnsGraph *graph,
                           const EnsOnnxAbout *about);

/* TRUE if the part was unknown, and is now known for that reason, which is printf's. */
gboolean ens_preprocess_claim (EnsPreprocess *preprocess, EnsPreprocessPart part,
                               EnsCertainty certainty, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
void ens_preprocess_note (EnsPreprocess *preprocess, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* A source with its certainty and its name, such as "networks.json". */
typedef struct {
  EnsPreprocess *preprocess;
  EnsCertainty certainty;
  const char *name;
} EnsPreprocessSource;

/* name: "RGB", "bgr8", …; FALSE if it is no order. */
gboolean ens_preprocess_set_order (const EnsPreprocessSource *source, const char *name);
/* n values, 1 or 3; what the network wants is (value / unit - mean) / deviation. */
gboolean ens_preprocess_set_range (const EnsPreprocessSource *source, double unit,
                                   const double *means, const double *deviations, guint n);
void ens_preprocess_set_size (const EnsPreprocessSource *source, double size);
void ens_preprocess_set_crop (const EnsPreprocessSource *source, double crop);
/* labels, taps: (transfer full) */
void ens_preprocess_set_labels (const EnsPreprocessSource *source, char **labels);
void ens_preprocess_set_taps (const EnsPreprocessSource *source, char **taps);

/* 255 if means and deviations are of values 0 … 1, else 1: nobody subtracts half a grey value. */
double ens_preprocess_unit (const double *means, const double *deviations, guint n);

/* The numbers in a text such as "[0.485, 0.456, 0.406]", at most max. */
guint ens_preprocess_parse_numbers (const char *text, double *numbers, guint max);
/* The names in a list, a JSON array, or a dictionary of Python or JSON from numbers to names.
 * (transfer full) */
char **ens_preprocess_parse_labels (const char *text);
/* Sets what a file beside the network holds, one label a line. */
void ens_preprocess_read_labels (const EnsPreprocessSource *source, const char *folder,
                                 const char *file);
