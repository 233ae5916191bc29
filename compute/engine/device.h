/* What a device has for the networks on it. */
#pragma once

#include <ensemble/network.h>

#include "cpu/memory.h"

/* Arenas that all plans on the device share. (transfer none) */
EnsArenas *ens_device_get_arenas (EnsDevice *device);
