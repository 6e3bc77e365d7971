/* Umbrella: value, match and action types that the engine and the management side share. */
#ifndef WFPTAP_FWPTYPES_H
#define WFPTAP_FWPTYPES_H

#include <fwpm/actions.h>
#include <fwpm/condition_flags.h>
#include <fwpm/values.h>

#endif
