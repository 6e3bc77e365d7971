/* Umbrella: bounded string routines. */
#ifndef WFPTAP_NTSTRSAFE_H
#define WFPTAP_NTSTRSAFE_H

#include "nt/strsafe.h"

#endif
