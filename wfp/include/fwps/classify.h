/* Input and output of a classify: the layer's field values, the decision, and the filter that called.
 *
 * Values are indexed by FWPS_FIELD_* (fwps/fields.h). A callout writes FWPS_CLASSIFY_OUT0.actionType only while
 * FWPS_RIGHT_ACTION_WRITE is set in rights, and clears that bit to make its decision final. All of it is valid until
 * the classify function returns. */
#ifndef WFPTAP_FWPS_CLASSIFY_H
#define WFPTAP_FWPS_CLASSIFY_H

#include <fwpm/actions.h>
#include <fwpm/objects.h>
#include <fwps/fields.h>
#include <fwps/layers.h>
#include <fwps/metadata.h>

typedef struct FWPS_INCOMING_VALUE0_ {
  FWP_VALUE0 value;
} FWPS_INCOMING_VALUE0;

typedef struct FWPS_INCOMING_VALUES0_ {
  UINT16 layerId;
  UINT32 valueCount;
  FWPS_INCOMING_VALUE0* incomingValue;
} FWPS_INCOMING_VALUES0;

#define FWPS_RIGHT_ACTION_WRITE 0x00000001

/* With a block: the packet disappears without a discard, because the callout keeps or reinjects it. */
#define FWPS_CLASSIFY_OUT_FLAG_ABSORB 0x00000001
#define FWPS_CLASSIFY_OUT_FLAG_BUFFER_LIMIT_REACHED 0x00000002
#define FWPS_CLASSIFY_OUT_FLAG_NO_MORE_DATA 0x00000004
#define FWPS_CLASSIFY_OUT_FLAG_ALE_FAST_CACHE_CHECK 0x00000008
#define FWPS_CLASSIFY_OUT_FLAG_ALE_FAST_CACHE_POSSIBLE 0x00000010

typedef struct FWPS_CLASSIFY_OUT0_ {
  FWP_ACTION_TYPE actionType;
  UINT64 outContext;
  UINT64 filterId;
  UINT32 rights;
  UINT32 flags;
  UINT32 reserved;
} FWPS_CLASSIFY_OUT0;

#define FWPS_FILTER_FLAG_CLEAR_ACTION_RIGHT 0x0001
#define FWPS_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED 0x0002
#define FWPS_FILTER_FLAG_OR_CONDITIONS 0x0004
#define FWPS_FILTER_FLAG_HAS_SECURITY_REALM_PROVIDER_CONTEXT 0x0008
#define FWPS_FILTER_FLAG_SILENT_MODE 0x0010
#define FWPS_FILTER_FLAG_IPSEC_NO_ACQUIRE_INITIATE 0x0020
#define FWPS_FILTER_FLAG_RESERVED0 0x0040
#define FWPS_FILTER_FLAG_RESERVED1 0x0080

typedef struct FWPS_FILTER_CONDITION0_ {
  UINT16 fieldId;
  UINT16 reserved;
  FWP_MATCH_TYPE matchType;
  FWP_CONDITION_VALUE0 conditionValue;
} FWPS_FILTER_CONDITION0;

typedef struct FWPS_ACTION0_ {
  FWP_ACTION_TYPE type;
  UINT32 calloutId;
} FWPS_ACTION0;

/* The four versions differ in the version of the provider context only. A callout may set `context` in its notify
 * function. */
typedef struct FWPS_FILTER0_ {
  UINT64 filterId;
  FWP_VALUE0 weight;
  UINT16 subLayerWeight;
  UINT16 flags;
  UINT32 numFilterConditions;
  FWPS_FILTER_CONDITION0* filterCondition;
  FWPS_ACTION0 action;
  UINT64 context;
  FWPM_PROVIDER_CONTEXT0* providerContext;
} FWPS_FILTER0;

typedef struct FWPS_FILTER1_ {
  UINT64 filterId;
  FWP_VALUE0 weight;
  UINT16 subLayerWeight;
  UINT16 flags;
  UINT32 numFilterConditions;
  FWPS_FILTER_CONDITION0* filterCondition;
  FWPS_ACTION0 action;
  UINT64 context;
  FWPM_PROVIDER_CONTEXT1* providerContext;
} FWPS_FILTER1;

typedef struct FWPS_FILTER2_ {
  UINT64 filterId;
  FWP_VALUE0 weight;
  UINT16 subLayerWeight;
  UINT16 flags;
  UINT32 numFilterConditions;
  FWPS_FILTER_CONDITION0* filterCondition;
  FWPS_ACTION0 action;
  UINT64 context;
  FWPM_PROVIDER_CONTEXT2* providerContext;
} FWPS_FILTER2;

typedef struct FWPS_FILTER3_ {
  UINT64 filterId;
  FWP_VALUE0 weight;
  UINT16 subLayerWeight;
  UINT16 flags;
  UINT32 numFilterConditions;
  FWPS_FILTER_CONDITION0* filterCondition;
  FWPS_ACTION0 action;
  UINT64 context;
  FWPM_PROVIDER_CONTEXT3* providerContext;
} FWPS_FILTER3;

#define FWPS_INCOMING_VALUE FWPS_INCOMING_VALUE0
#define FWPS_INCOMING_VALUES FWPS_INCOMING_VALUES0
#define FWPS_CLASSIFY_OUT FWPS_CLASSIFY_OUT0
#define FWPS_FILTER_CONDITION FWPS_FILTER_CONDITION0
#define FWPS_ACTION FWPS_ACTION0

#endif
