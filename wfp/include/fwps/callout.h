/* Callouts: the functions that a driver registers, and registration.
 *
 * classifyFn runs at IRQL <= DISPATCH_LEVEL, on the thread that moves the packet. notifyFn runs at PASSIVE_LEVEL when
 * a filter that names the callout comes or goes. flowDeleteFn runs when a flow with a context ends. Registration and
 * unregistration are for PASSIVE_LEVEL; unregistering returns STATUS_DEVICE_BUSY while flow contexts remain.
 * Without a digit, the names mean the version that NTDDI_VERSION selects: 3 from Windows 10 1709, 2 from 8, 1 from 7.
 */
#ifndef WFPTAP_FWPS_CALLOUT_H
#define WFPTAP_FWPS_CALLOUT_H

#include <fwps/classify.h>
#include <sdkddkver.h>

typedef enum FWPS_CALLOUT_NOTIFY_TYPE_ {
  FWPS_CALLOUT_NOTIFY_ADD_FILTER = 0,
  FWPS_CALLOUT_NOTIFY_DELETE_FILTER = 1,
  FWPS_CALLOUT_NOTIFY_ADD_FILTER_POST_COMMIT = 2,
  FWPS_CALLOUT_NOTIFY_TYPE_MAX = 3
} FWPS_CALLOUT_NOTIFY_TYPE;

typedef void(NTAPI* FWPS_CALLOUT_CLASSIFY_FN0)(const FWPS_INCOMING_VALUES0* inFixedValues,
                                               const FWPS_INCOMING_METADATA_VALUES0* inMetaValues, void* layerData,
                                               const FWPS_FILTER0* filter, UINT64 flowContext,
                                               FWPS_CLASSIFY_OUT0* classifyOut);
typedef void(NTAPI* FWPS_CALLOUT_CLASSIFY_FN1)(const FWPS_INCOMING_VALUES0* inFixedValues,
                                               const FWPS_INCOMING_METADATA_VALUES0* inMetaValues, void* layerData,
                                               const void* classifyContext, const FWPS_FILTER1* filter,
                                               UINT64 flowContext, FWPS_CLASSIFY_OUT0* classifyOut);
typedef void(NTAPI* FWPS_CALLOUT_CLASSIFY_FN2)(const FWPS_INCOMING_VALUES0* inFixedValues,
                                               const FWPS_INCOMING_METADATA_VALUES0* inMetaValues, void* layerData,
                                               const void* classifyContext, const FWPS_FILTER2* filter,
                                               UINT64 flowContext, FWPS_CLASSIFY_OUT0* classifyOut);
typedef void(NTAPI* FWPS_CALLOUT_CLASSIFY_FN3)(const FWPS_INCOMING_VALUES0* inFixedValues,
                                               const FWPS_INCOMING_METADATA_VALUES0* inMetaValues, void* layerData,
                                               const void* classifyContext, const FWPS_FILTER3* filter,
                                               UINT64 flowContext, FWPS_CLASSIFY_OUT0* classifyOut);

typedef NTSTATUS(NTAPI* FWPS_CALLOUT_NOTIFY_FN0)(FWPS_CALLOUT_NOTIFY_TYPE notifyType, const GUID* filterKey,
                                                 FWPS_FILTER0* filter);
typedef NTSTATUS(NTAPI* FWPS_CALLOUT_NOTIFY_FN1)(FWPS_CALLOUT_NOTIFY_TYPE notifyType, const GUID* filterKey,
                                                 FWPS_FILTER1* filter);
typedef NTSTATUS(NTAPI* FWPS_CALLOUT_NOTIFY_FN2)(FWPS_CALLOUT_NOTIFY_TYPE notifyType, const GUID* filterKey,
                                                 FWPS_FILTER2* filter);
typedef NTSTATUS(NTAPI* FWPS_CALLOUT_NOTIFY_FN3)(FWPS_CALLOUT_NOTIFY_TYPE notifyType, const GUID* filterKey,
                                                 FWPS_FILTER3* filter);

typedef void(NTAPI* FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0)(UINT16 layerId, UINT32 calloutId, UINT64 flowContext);

typedef struct FWPS_CALLOUT0_ {
  GUID calloutKey;
  UINT32 flags; /* FWP_CALLOUT_FLAG_* */
  FWPS_CALLOUT_CLASSIFY_FN0 classifyFn;
  FWPS_CALLOUT_NOTIFY_FN0 notifyFn;
  FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 flowDeleteFn; /* may be NULL */
} FWPS_CALLOUT0;

typedef struct FWPS_CALLOUT1_ {
  GUID calloutKey;
  UINT32 flags;
  FWPS_CALLOUT_CLASSIFY_FN1 classifyFn;
  FWPS_CALLOUT_NOTIFY_FN1 notifyFn;
  FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 flowDeleteFn;
} FWPS_CALLOUT1;

typedef struct FWPS_CALLOUT2_ {
  GUID calloutKey;
  UINT32 flags;
  FWPS_CALLOUT_CLASSIFY_FN2 classifyFn;
  FWPS_CALLOUT_NOTIFY_FN2 notifyFn;
  FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 flowDeleteFn;
} FWPS_CALLOUT2;

typedef struct FWPS_CALLOUT3_ {
  GUID calloutKey;
  UINT32 flags;
  FWPS_CALLOUT_CLASSIFY_FN3 classifyFn;
  FWPS_CALLOUT_NOTIFY_FN3 notifyFn;
  FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 flowDeleteFn;
} FWPS_CALLOUT3;

#ifdef __cplusplus
extern "C" {
#endif

/* deviceObject is that of the registering driver. calloutId may be NULL. */
NTSTATUS NTAPI FwpsCalloutRegister0(void* deviceObject, const FWPS_CALLOUT0* callout, UINT32* calloutId);
NTSTATUS NTAPI FwpsCalloutRegister1(void* deviceObject, const FWPS_CALLOUT1* callout, UINT32* calloutId);
NTSTATUS NTAPI FwpsCalloutRegister2(void* deviceObject, const FWPS_CALLOUT2* callout, UINT32* calloutId);
NTSTATUS NTAPI FwpsCalloutRegister3(void* deviceObject, const FWPS_CALLOUT3* callout, UINT32* calloutId);
NTSTATUS NTAPI FwpsCalloutUnregisterById0(const UINT32 calloutId);
NTSTATUS NTAPI FwpsCalloutUnregisterByKey0(const GUID* calloutKey);

#ifdef __cplusplus
}
#endif

#if NTDDI_VERSION >= NTDDI_WIN10_RS3
#define FWPS_CALLOUT FWPS_CALLOUT3
#define FWPS_FILTER FWPS_FILTER3
#define FWPS_CALLOUT_CLASSIFY_FN FWPS_CALLOUT_CLASSIFY_FN3
#define FWPS_CALLOUT_NOTIFY_FN FWPS_CALLOUT_NOTIFY_FN3
#define FwpsCalloutRegister FwpsCalloutRegister3
#elif NTDDI_VERSION >= NTDDI_WIN8
#define FWPS_CALLOUT FWPS_CALLOUT2
#define FWPS_FILTER FWPS_FILTER2
#define FWPS_CALLOUT_CLASSIFY_FN FWPS_CALLOUT_CLASSIFY_FN2
#define FWPS_CALLOUT_NOTIFY_FN FWPS_CALLOUT_NOTIFY_FN2
#define FwpsCalloutRegister FwpsCalloutRegister2
#elif NTDDI_VERSION >= NTDDI_WIN7
#define FWPS_CALLOUT FWPS_CALLOUT1
#define FWPS_FILTER FWPS_FILTER1
#define FWPS_CALLOUT_CLASSIFY_FN FWPS_CALLOUT_CLASSIFY_FN1
#define FWPS_CALLOUT_NOTIFY_FN FWPS_CALLOUT_NOTIFY_FN1
#define FwpsCalloutRegister FwpsCalloutRegister1
#else
#define FWPS_CALLOUT FWPS_CALLOUT0
#define FWPS_FILTER FWPS_FILTER0
#define FWPS_CALLOUT_CLASSIFY_FN FWPS_CALLOUT_CLASSIFY_FN0
#define FWPS_CALLOUT_NOTIFY_FN FWPS_CALLOUT_NOTIFY_FN0
#define FwpsCalloutRegister FwpsCalloutRegister0
#endif
#define FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0
#define FwpsCalloutUnregisterById FwpsCalloutUnregisterById0
#define FwpsCalloutUnregisterByKey FwpsCalloutUnregisterByKey0

#endif
