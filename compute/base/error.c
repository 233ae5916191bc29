#include "base/error.h"

G_DEFINE_QUARK (ens - error - quark, ens_error)
