/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: where decoded pictures come from.
 *
 * compute/ reads no image or video format. It asks an EnsFrameSource for the next picture, and an
 * EnsFrameOpener for the source behind a path; code that has decoders implements both. */
#pragma once

#include "vision/picture.h"

G_BEGIN_DECLS

/* One still or video being read: one picture of a still, many of a video. Implementations put this
 * structure first in their own. One thread at a time. */
typedef struct _EnsFrameSource EnsFrameSource;
struct _EnsFrameSource {
  gboolean (*next) (EnsFrameSource *source, EnsPicture **picture, GError **error);
  void (*free) (EnsFrameSource *source);
};

/* Sets *picture to the next picture (transfer full) and returns TRUE. After the last one *picture
 * is NULL and the result still TRUE. FALSE with an error that names the file: what follows in this
 * source is lost. */
gboolean ens_frame_source_next (EnsFrameSource *source, EnsPicture **picture, GError **error);
/* Which pictures of a video are wanted. */
typedef struct {
  double seconds; /* between them; 0: all */
  double time;    /* of the last one */
  gboolean begun;
} EnsFrameInterval;

/* The same of the next picture that is wanted. Pictures without a time of their own follow each
 * other at the interval. */
gboolean ens_frame_source_next_due (EnsFrameSource *source, EnsFrameInterval *interval,
                                    EnsPicture **picture, GError **error);
void ens_frame_source_free (EnsFrameSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsFrameSource, ens_frame_source_free)

/* Opens files. open () may be called from several threads at once; `data` is the implementation's
 * and lives as long as the opener. */
typedef struct {
  EnsFrameSource *(*open) (gpointer data, const char *path, GError **error);
  gpointer data;
} EnsFrameOpener;

/* (transfer full) NULL with an error that names the path. */
EnsFrameSource *ens_frame_opener_open (const EnsFrameOpener *opener, const char *path,
                                       GError **error);
/* The first picture of a file, for stills. NULL with an error that names the path if there is none,
 * or it is not what it says (ens_frame_validate ()). (transfer full) */
EnsPicture *ens_frame_opener_read (const EnsFrameOpener *opener, const char *path, GError **error);

G_END_DECLS
