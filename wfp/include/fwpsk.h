/* Umbrella: the callout API. */
#ifndef WFPTAP_FWPSK_H
#define WFPTAP_FWPSK_H

#include <fwps/callout.h>
#include <fwps/classify.h>
#include <fwps/discard_reasons.h>
#include <fwps/fields.h>
#include <fwps/flow.h>
#include <fwps/inject.h>
#include <fwps/layers.h>
#include <fwps/metadata.h>
#include <fwps/packet.h>
#include <fwps/pend.h>
#include <fwps/redirect.h>
#include <fwps/stream.h>
#include <fwpstypes.h>
#include <ndis.h>
#include <sdkddkver.h>

#endif
