/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text filled into lines. */
#pragma once

#include <glib.h>

/* Lines are at most this wide. */
#define TOOL_TEXT_WIDTH 80

/* Appends words and a line's end. `column` is where the first line stands already; further ones
 * have `indent` spaces before them. */
void tool_append_words (GString *into, const char *text, guint column, guint indent);

/* Appends paragraphs as ToolCommand has them, every line with `indent` spaces before it. */
void tool_append_text (GString *into, const char *text, guint indent);
