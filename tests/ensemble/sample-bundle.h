/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bundle that says all that bundles can, except for fusion of log odds, and a folder for it. */
#pragma once

#include "ensemble/bundle-private.h"

/* An empty folder, and one inside it that does not exist yet, for the bundle. */
typedef struct {
  char *root, *folder;
} BundleFixture;

extern BundleFixture *fixture;

/* test_fixture () */
void sample_bundle_set_up (void);
void sample_bundle_tear_down (void);

/* (transfer full) */
EnsBundle *sample_bundle_new (void);
/* To the fixture's folder, with files that are there and no more. */
gboolean sample_bundle_write (const EnsBundle *bundle, GError **error);
/* A new one. */
void sample_bundle_save (void);
