/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes in Pascal VOC's layout.
 *
 * Source: M. Everingham et al., The Pascal Visual Object Classes Challenge, IJCV 2010. */
#pragma once

#include "dataset/boxes.h"

/* Whether the folder has the layout: a folder Annotations. */
gboolean ens_boxes_have_voc (const char *folder);
/* As ens_boxes_load (). */
GPtrArray *ens_boxes_load_voc (const char *folder, GPtrArray *notes, GError **error);
