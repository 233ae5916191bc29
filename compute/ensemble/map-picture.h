/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The spatial map of a class as a picture. */
#pragma once

#include <ensemble/result.h>

#include "vision/picture.h"

/* A grey picture of the frame's aspect ratio whose longer side is `longer` pixels: black where the
 * class's probability is 0, white where it is 1. At the centre of a sub-image it is that
 * sub-image's, between centres it is interpolated, and beyond the outermost ones it goes on as it
 * is there. The result has a map. (transfer full) */
EnsPicture *ens_map_picture_new (const EnsResult *result, guint class_index, guint longer);
