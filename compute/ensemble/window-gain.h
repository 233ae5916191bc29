/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What windows were worth when the ensemble was trained. */
#pragma once

#include "ensemble/bundle.h"

/* By how much the cross-fitted mean average precision was higher with windows, by the bundle's
 * provenance; FALSE if that does not say. */
gboolean ens_bundle_get_window_gain (const EnsBundle *bundle, double *gain);

/* Whether windows come before sub-images where a budget does not pay for both: unless the bundle
 * says that they gain next to nothing. */
gboolean ens_bundle_prefers_windows (const EnsBundle *bundle);
