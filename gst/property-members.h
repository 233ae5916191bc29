/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties that are kept as they are in one member of a structure. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* member: where a value of the property's type is kept: gboolean, gint, guint, gint64, guint64,
 * float, double, an enumeration or a string. Old strings are freed, new ones copied. The caller
 * holds whatever lock guards the member. */
void gst_ensemble_member_set (gpointer member, const GValue *value);
void gst_ensemble_member_get (gconstpointer member, GValue *value);

G_END_DECLS
