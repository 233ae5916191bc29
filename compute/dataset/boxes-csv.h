/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes in a table, as ens_boxes_load () describes it. */
#pragma once

#include "dataset/boxes.h"

GPtrArray *ens_boxes_load_csv (const char *path, GPtrArray *notes, GError **error);
