/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: what applications need to read the tags on buffers.
 * pkg-config: gstensemble-1.0 */
#pragma once

#include <gst/ensemble/meta.h>
#include <gst/ensemble/regions.h>
#include <gst/ensemble/version.h>
