/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An opened ensemble from the inside. */
#pragma once

#include "ensemble/ensemble.h"
#include "ensemble/member.h"

struct _EnsEnsemble {
  guint references; /* guarded by the registry's lock */
  char *key;        /* in the registry */
  char *stamp;      /* ens_bundle_stamp (), before files were read */
  gboolean
      loading; /* of a place in the registry that is kept: it has nothing but references, key */
  EnsBundle *bundle;
  EnsDevice *device;
  EnsMember **members; /* as many as bundle->networks */
  char **notes;
};
