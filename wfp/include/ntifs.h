/* Umbrella: ntifs.h is ntddk.h and the routines on security identifiers. */
#ifndef WFPTAP_NTIFS_H
#define WFPTAP_NTIFS_H

#include "nt/sid.h"
#include "ntddk.h"

#endif
