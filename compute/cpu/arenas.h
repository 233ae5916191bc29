/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arenas: memory that plans borrow while they run. */
#pragma once

#include "base/error.h"

/* Arenas: plans that do not run at the same time use the same memory. Any thread. */
typedef struct _EnsArenas EnsArenas;

EnsArenas *ens_arenas_new (void);
EnsArenas *ens_arenas_ref (EnsArenas *arenas);
void ens_arenas_unref (EnsArenas *arenas);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsArenas, ens_arenas_unref)

/* Announces that a block of this size will be borrowed, until the reservation is released. A block
 * large enough for all reservations is allocated now; larger ones are freed. FALSE with an error,
 * and nothing reserved, if there is no memory for it. */
gboolean ens_arenas_reserve (EnsArenas *arenas, gsize size, GError **error);
void ens_arenas_release (EnsArenas *arenas, gsize size);

/* A block as large as the largest reservation; contents are undefined. Nothing is allocated unless
 * more threads borrow at the same time than ever did. NULL with an error if there is no memory for
 * one more block. */
gpointer ens_arenas_borrow (EnsArenas *arenas, GError **error);
void ens_arenas_return (EnsArenas *arenas, gpointer block);
