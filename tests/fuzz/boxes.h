/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What targets for annotations have in common. */
#pragma once

/* Reads the folder as pictures with boxes and as a data set: each is refused, or its boxes lie
 * inside their pictures. */
void fuzz_boxes (const char *folder);
