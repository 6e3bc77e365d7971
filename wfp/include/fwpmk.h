/* Umbrella: the management API and the GUIDs of built-in objects. */
#ifndef WFPTAP_FWPMK_H
#define WFPTAP_FWPMK_H

#include <fwpm/builtin_objects.h>
#include <fwpm/conditions.h>
#include <fwpm/engine.h>
#include <fwpm/layers.h>
#include <fwpm/sublayers.h>
#include <fwpmtypes.h>
#include <sdkddkver.h>

#endif
