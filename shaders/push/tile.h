/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ENS_PUSH_TILE_H
#define ENS_PUSH_TILE_H

/* Invocations of a workgroup of the shaders that reduce lines (tile.glsl), and how many lines it
 * takes side by side: 1, or this many. */
#define ENS_TILE 128
#define ENS_TILE_ACROSS 32

#endif
