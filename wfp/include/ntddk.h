/* Umbrella: ntddk.h is wdm.h and a few routines more, all of which are in the parts that wdm.h includes. */
#ifndef WFPTAP_NTDDK_H
#define WFPTAP_NTDDK_H

#include "wdm.h"

#endif
