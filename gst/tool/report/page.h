/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What pages have in common: head and end, pictures with what is drawn on them. */
#pragma once

#include "base/thread-pool.h"
#include "vision/picture.h"

/* Up to where the page's own elements begin. The title is any text. */
void page_open (GString *html, const char *title);
/* Ends the page and writes it. */
gboolean page_write (GString *html, const char *path, GError **error);

/* Opens an <svg> with a picture of at most `side` pixels, whose size goes to *width and *height;
 * path: what it is called. FALSE if there is none, with an empty <svg> that is closed. */
gboolean page_open_picture (GString *html, const char *path, const EnsPicture *picture, guint side,
                            EnsThreadPool *pool, guint *width, guint *height);
/* A frame on a picture of that size. */
void page_add_frame (GString *html, const EnsRect *rect, guint width, guint height);
/* The name of a picture's file, as a paragraph. */
void page_add_file (GString *html, const char *path);
