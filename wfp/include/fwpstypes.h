/* Umbrella: types that callouts see on classify. */
#ifndef WFPTAP_FWPSTYPES_H
#define WFPTAP_FWPSTYPES_H

#include <fwps/classify.h>
#include <fwps/discard_reasons.h>
#include <fwps/metadata.h>
#include <fwptypes.h>

#endif
