/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which frames of a stream a person should label, and which of those that are kept go first when
 * there is no more room.
 *
 * Worth keeping is a frame that changed a class's state, from which the gate withholds a class, or
 * whose P is near a threshold: examples that a classifier is least certain of teach it most (D. D.
 * Lewis and W. A. Gale, A Sequential Algorithm for Training Text Classifiers, 1994); and one that
 * looks unlike all that are kept. The value is that of the reason times how little the frame looks
 * like any other, so that what is kept stays varied; near copies are worth nothing. */
#pragma once

#include <ensemble/result.h>

#include "vision/picture-hash.h"

G_BEGIN_DECLS

typedef enum {
  ENS_COLLECT_NOT,
  ENS_COLLECT_CHANGED,
  ENS_COLLECT_WITHHELD,
  ENS_COLLECT_UNCERTAIN,
  ENS_COLLECT_DIFFERENT,
} EnsCollectReason;

/* "changed" and so on, by value, up to a NULL. */
extern const char *const ens_collect_reason_names[];

/* What a frame is worth. */
typedef struct {
  EnsCollectReason reason;
  guint class;  /* that is the reason; of ENS_COLLECT_DIFFERENT the most probable one */
  float value;  /* 0 to 1 */
  EnsRect rect; /* what is to be kept of the frame */
  guint64 hash; /* of that */
} EnsCollectLook;

/* What is kept. */
typedef struct {
  char *name;
  float value;
  guint64 hash;
  guint64 bytes;
} EnsCollected;

typedef struct _EnsCollection EnsCollection;

EnsCollection *ens_collection_new (void);
void ens_collection_free (EnsCollection *collection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsCollection, ens_collection_free)

/* Whether the result shows another state of a class than that of the frame before. Classes are told
 * by their names: another bundle may have them too. */
gboolean ens_collection_changes (const EnsCollection *collection, const EnsResult *result);
/* Looks at a frame with its result, after the one before. crops: the window of the class is to be
 * kept, where it has one, not the frame. */
EnsCollectLook ens_collection_look (EnsCollection *collection, const EnsFrame *frame,
                                    gboolean crops, const EnsResult *result);
/* A frame that is not looked at: classes whose state is unknown in it, as behind a cut, or that it
 * does not have, have not changed in the next one. */
void ens_collection_pass (EnsCollection *collection, const EnsResult *result);
/* Takes note of what is kept. */
void ens_collection_add (EnsCollection *collection, const char *name, float value, guint64 hash,
                         guint64 bytes);
guint ens_collection_get_n (const EnsCollection *collection);
/* Whether there can be room for another of this value and size. goes: gets copies of the names of
 * those that have to go for it, none if there is room; NULL: only asks. First go those of the least
 * value, of these the oldest, which is the first by its name. FALSE: it is too large, or what would
 * have to go is worth more; then nothing goes. Numbers of 0 are no limits. */
gboolean ens_collection_find_room (const EnsCollection *collection, guint max_n, guint64 max_bytes,
                                   float value, guint64 bytes, GPtrArray *goes);
/* It is no longer there. */
void ens_collection_remove (EnsCollection *collection, const char *name);
const EnsCollected *ens_collection_get (const EnsCollection *collection, guint i);

G_END_DECLS
