/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weights as recording asks for them. */
#pragma once

#include "graph/op.h"
#include "vulkan/buffer.h"
#include "vulkan/weights.h"

/* The region of the packed form of `constant`, once it is uploaded: made by pack (state, …) if
 * there is none of this kind. Belongs to `weights`. Any thread. */
const EnsVulkanRegion *ens_vulkan_weights_get (EnsVulkanWeights *weights, EnsTensor *constant,
                                               const char *kind, gsize size, EnsPackFunc pack,
                                               gpointer state);
/* The constant's elements as they are. */
const EnsVulkanRegion *ens_vulkan_weights_get_plain (EnsVulkanWeights *weights,
                                                     EnsTensor *constant);

/* Uploads what was asked for since the last call. Any thread. */
gboolean ens_vulkan_weights_upload (EnsVulkanWeights *weights, GError **error);
