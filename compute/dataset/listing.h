/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What folders have.
 *
 * Links are followed, to files and to folders: people make sets of links. A link that leads back to
 * a folder above it is not, and neither are folders deeper than ENS_LISTING_DEPTH. */
#pragma once

#include "base/error.h"

#define ENS_LISTING_DEPTH 16

/* Names, in byte order. */
typedef struct {
  GPtrArray *folders, *files; /* char *; files can be read as such */
  GPtrArray *hidden;          /* char *: of either kind */
  GPtrArray *others;          /* char *: pipes, sockets, devices, links that lead nowhere */
} EnsListing;

gboolean ens_listing_read (EnsListing *listing, const char *folder, GError **error);
void ens_listing_clear (EnsListing *listing);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsListing, ens_listing_clear)

/* A folder on the way down from a set's own, and those above it. */
typedef struct _EnsTrail EnsTrail;
struct _EnsTrail {
  const EnsTrail *above; /* NULL for the set's own */
  guint64 device, inode;
  guint depth;
};

/* FALSE for a folder that is one of those above it, or too deep. */
gboolean ens_trail_enter (EnsTrail *trail, const EnsTrail *above, const char *folder);

/* Calls `each` for every file below the folder, and the folder's own, in byte order; what is left
 * out of them is not told. Folders that can't be read have none. */
typedef void (*EnsListingEach) (const char *path, gpointer data);
void ens_listing_foreach (const char *folder, EnsListingEach each, gpointer data);

/* The first file of the folder that fits, or else of its folders, down to so many levels below it;
 * NULL if none does. Loops are left out. (transfer full) */
typedef gboolean (*EnsListingFits) (const char *path);
char *ens_listing_find (const char *folder, EnsListingFits fits, guint depth);

/* Orders pointers to strings by bytes. */
gint ens_listing_compare (gconstpointer a, gconstpointer b);
