/* Umbrella: NDIS types, buffers and the functions over them. */
#ifndef WFPTAP_NDIS_H
#define WFPTAP_NDIS_H

#include <sdkddkver.h>

#include <ndis/mdl.h>
#include <ndis/nbl.h>
#include <ndis/nblapi.h>
#include <ndis/oob.h>
#include <ndis/types.h>

#endif
