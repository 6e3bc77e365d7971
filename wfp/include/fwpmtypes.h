/* Umbrella: management object types. */
#ifndef WFPTAP_FWPMTYPES_H
#define WFPTAP_FWPMTYPES_H

#include <fwpm/enumeration.h>
#include <fwpm/objects.h>
#include <fwptypes.h>

#endif
