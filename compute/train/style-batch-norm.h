/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bundle whose networks' batch normalisation has the statistics of other pictures (AdaBN). */
#pragma once

#include "engine/device.h"

/* Writes a copy of the bundle into a temporary folder, *copy, in which batch normalisation has mean
 * and variance over EnsSmallPicture; NULL, and nothing written, if no network has any. (transfer
 * full) */
gboolean ens_style_adapt_batch_norm (const char *bundle, const GPtrArray *pictures,
                                     EnsDevice *device, char **copy, GError **error);
/* Removes the copy. */
void ens_style_remove_bundle (const char *copy);
