/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gaussian smoothing of small images. */
#pragma once

#include <glib.h>

/* σ = 0.8; borders are repeated. Values up to 2^15 - 1. */
void ens_smooth (const gint16 *plane, guint width, guint height, gint16 *smoothed);
