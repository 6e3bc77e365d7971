/* Umbrella: the kernel routines of wdm.h. The parts are in nt/ and, for MDLs, in ndis/mdl.h. */
#ifndef WFPTAP_WDM_H
#define WFPTAP_WDM_H

#include "guiddef.h"
#include "ndis/mdl.h"
#include "nt/debug.h"
#include "nt/ex.h"
#include "nt/interlocked.h"
#include "nt/io.h"
#include "nt/ke.h"
#include "nt/ntstatus.h"
#include "nt/ps.h"
#include "nt/rtl.h"
#include "nt/sal.h"
#include "nt/types.h"
#include "nt/zw.h"

#endif
