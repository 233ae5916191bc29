/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures for tests. */
#pragma once

#include "vision/picture.h"

/* Every byte of every plane is random. */
void test_picture_fill_random (EnsPicture *picture, guint32 seed);
