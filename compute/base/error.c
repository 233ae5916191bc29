/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

/* The hyphen belongs to the name. */
/* clang-format off */
G_DEFINE_QUARK (ens-error-quark, ens_error)
/* clang-format on */
