/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An opened ensemble from the inside. */
#pragma once

#include "ensemble/ensemble.h"
#include "ensemble/member.h"

struct _EnsEnsemble {
  guint references; /* guarded by the registry's lock */
  char *key;        /* in the registry */
  EnsBundle *bundle;
  EnsDevice *device;
  EnsMember **members; /* as many as bundle->networks */
  char **notes;
};
