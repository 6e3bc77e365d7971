/* Management objects: providers, provider contexts, layers, sublayers, callouts, filters and sessions.
 *
 * The caller owns what it passes; the engine copies it during the call. Objects that a Get or Enum function returns
 * are freed with FwpmFreeMemory0. Members marked `out` are written by the engine and ignored on input. */
#ifndef WFPTAP_FWPM_OBJECTS_H
#define WFPTAP_FWPM_OBJECTS_H

#include <fwpm/actions.h>
#include <fwpm/display.h>
#include <fwpm/values.h>

#define FWPM_PROVIDER_FLAG_PERSISTENT 0x00000001
#define FWPM_PROVIDER_FLAG_DISABLED 0x00000010

typedef struct FWPM_PROVIDER0_ {
  GUID providerKey;
  FWPM_DISPLAY_DATA0 displayData;
  UINT32 flags;
  FWP_BYTE_BLOB providerData;
  PWSTR serviceName;
} FWPM_PROVIDER0;

typedef enum FWPM_PROVIDER_CONTEXT_TYPE_ {
  FWPM_IPSEC_KEYING_CONTEXT = 0,
  FWPM_IPSEC_IKE_QM_TRANSPORT_CONTEXT = 1,
  FWPM_IPSEC_IKE_QM_TUNNEL_CONTEXT = 2,
  FWPM_IPSEC_AUTHIP_QM_TRANSPORT_CONTEXT = 3,
  FWPM_IPSEC_AUTHIP_QM_TUNNEL_CONTEXT = 4,
  FWPM_IPSEC_IKE_MM_CONTEXT = 5,
  FWPM_IPSEC_AUTHIP_MM_CONTEXT = 6,
  FWPM_CLASSIFY_OPTIONS_CONTEXT = 7,
  FWPM_GENERAL_CONTEXT = 8,
  FWPM_IPSEC_IKEV2_QM_TUNNEL_CONTEXT = 9,
  FWPM_IPSEC_IKEV2_MM_CONTEXT = 10,
  FWPM_IPSEC_DOSP_CONTEXT = 11,
  FWPM_IPSEC_IKEV2_QM_TRANSPORT_CONTEXT = 12,
  FWPM_PROVIDER_CONTEXT_TYPE_MAX = 13
} FWPM_PROVIDER_CONTEXT_TYPE;

typedef struct FWPM_CLASSIFY_OPTION0_ {
  FWP_CLASSIFY_OPTION_TYPE type;
  FWP_VALUE0 value;
} FWPM_CLASSIFY_OPTION0;

typedef struct FWPM_CLASSIFY_OPTIONS0_ {
  UINT32 numOptions;
  FWPM_CLASSIFY_OPTION0* options;
} FWPM_CLASSIFY_OPTIONS0;

/* Data that filters refer to and callouts read. The versions differ only in which IPsec policies they may point to,
 * and those are opaque here, so that one structure serves all versions. */
typedef struct FWPM_PROVIDER_CONTEXT0_ {
  GUID providerContextKey;
  FWPM_DISPLAY_DATA0 displayData;
  UINT32 flags;
  GUID* providerKey;
  FWP_BYTE_BLOB providerData;
  FWPM_PROVIDER_CONTEXT_TYPE type;
  union {
    void* ipsecPolicy;
    FWPM_CLASSIFY_OPTIONS0* classifyOptions;
    FWP_BYTE_BLOB* dataBuffer;
  };
  UINT64 providerContextId; /* out */
} FWPM_PROVIDER_CONTEXT0, FWPM_PROVIDER_CONTEXT1, FWPM_PROVIDER_CONTEXT2, FWPM_PROVIDER_CONTEXT3;

#define FWPM_SUBLAYER_FLAG_PERSISTENT 0x00000001

typedef struct FWPM_SUBLAYER0_ {
  GUID subLayerKey;
  FWPM_DISPLAY_DATA0 displayData;
  UINT32 flags;
  GUID* providerKey;
  FWP_BYTE_BLOB providerData;
  UINT16 weight; /* higher is asked first */
} FWPM_SUBLAYER0;

#define FWPM_LAYER_FLAG_KERNEL 0x00000001
#define FWPM_LAYER_FLAG_BUILTIN 0x00000002
#define FWPM_LAYER_FLAG_CLASSIFY_MOSTLY 0x00000004
#define FWPM_LAYER_FLAG_BUFFERED 0x00000008

typedef enum FWPM_FIELD_TYPE_ {
  FWPM_FIELD_RAW_DATA = 0,
  FWPM_FIELD_IP_ADDRESS = 1,
  FWPM_FIELD_FLAGS = 2,
  FWPM_FIELD_TYPE_MAX = 3
} FWPM_FIELD_TYPE;

typedef struct FWPM_FIELD0_ {
  GUID* fieldKey;
  FWPM_FIELD_TYPE type;
  FWP_DATA_TYPE dataType;
} FWPM_FIELD0;

typedef struct FWPM_LAYER0_ {
  GUID layerKey;
  FWPM_DISPLAY_DATA0 displayData;
  UINT32 flags;
  UINT32 numFields;
  FWPM_FIELD0* field;
  GUID defaultSubLayerKey;
  UINT16 layerId;
} FWPM_LAYER0;

#define FWPM_CALLOUT_FLAG_PERSISTENT 0x00010000
#define FWPM_CALLOUT_FLAG_USES_PROVIDER_CONTEXT 0x00020000
#define FWPM_CALLOUT_FLAG_REGISTERED 0x00040000

typedef struct FWPM_CALLOUT0_ {
  GUID calloutKey;
  FWPM_DISPLAY_DATA0 displayData;
  UINT32 flags;
  GUID* providerKey;
  FWP_BYTE_BLOB providerData;
  GUID applicableLayer;
  UINT32 calloutId; /* out */
} FWPM_CALLOUT0;

#define FWPM_FILTER_FLAG_NONE 0x00000000
#define FWPM_FILTER_FLAG_PERSISTENT 0x00000001
#define FWPM_FILTER_FLAG_BOOTTIME 0x00000002
#define FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT 0x00000004
#define FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT 0x00000008
#define FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED 0x00000010
#define FWPM_FILTER_FLAG_DISABLED 0x00000020
#define FWPM_FILTER_FLAG_INDEXED 0x00000040
#define FWPM_FILTER_FLAG_HAS_SECURITY_REALM_PROVIDER_CONTEXT 0x00000080
#define FWPM_FILTER_FLAG_SYSTEMOS_ONLY 0x00000100
#define FWPM_FILTER_FLAG_GAMEOS_ONLY 0x00000200
#define FWPM_FILTER_FLAG_SILENT_MODE 0x00000400
#define FWPM_FILTER_FLAG_IPSEC_NO_ACQUIRE_INITIATE 0x00000800
#define FWPM_FILTER_FLAG_RESERVED0 0x00001000
#define FWPM_FILTER_FLAG_RESERVED1 0x00002000

#define FWPM_AUTO_WEIGHT_BITS 60
#define FWPM_AUTO_WEIGHT_MAX ((UINT64)(((UINT64)1 << FWPM_AUTO_WEIGHT_BITS) - 1))
#define FWPM_WEIGHT_RANGE_IPSEC 0x0
#define FWPM_WEIGHT_RANGE_IKE_EXEMPTIONS 0xc

typedef struct FWPM_ACTION0_ {
  FWP_ACTION_TYPE type;
  union {
    GUID filterType;
    GUID calloutKey;
  };
} FWPM_ACTION0;

typedef struct FWPM_FILTER_CONDITION0_ {
  GUID fieldKey;
  FWP_MATCH_TYPE matchType;
  FWP_CONDITION_VALUE0 conditionValue;
} FWPM_FILTER_CONDITION0;

typedef struct FWPM_FILTER0_ {
  GUID filterKey;
  FWPM_DISPLAY_DATA0 displayData;
  UINT32 flags;
  GUID* providerKey;
  FWP_BYTE_BLOB providerData;
  GUID layerKey;
  GUID subLayerKey;
  FWP_VALUE0 weight; /* FWP_EMPTY: automatic; FWP_UINT8 0..15: a range; FWP_UINT64: as given */
  UINT32 numFilterConditions;
  FWPM_FILTER_CONDITION0* filterCondition;
  FWPM_ACTION0 action;
  union {
    UINT64 rawContext;
    GUID providerContextKey;
  };
  GUID* reserved;
  UINT64 filterId;            /* out */
  FWP_VALUE0 effectiveWeight; /* out */
} FWPM_FILTER0;

#define FWPM_SESSION_FLAG_DYNAMIC 0x00000001
#define FWPM_SESSION_FLAG_RESERVED 0x10000000

typedef struct FWPM_SESSION0_ {
  GUID sessionKey;
  FWPM_DISPLAY_DATA0 displayData;
  UINT32 flags;
  UINT32 txnWaitTimeoutInMSec;
  DWORD processId; /* out */
  SID* sid;        /* out */
  PWSTR username;  /* out */
  BOOL kernelMode; /* out */
} FWPM_SESSION0;

typedef enum FWPM_SERVICE_STATE_ {
  FWPM_SERVICE_STOPPED = 0,
  FWPM_SERVICE_START_PENDING = 1,
  FWPM_SERVICE_STOP_PENDING = 2,
  FWPM_SERVICE_RUNNING = 3,
  FWPM_SERVICE_STATE_MAX = 4
} FWPM_SERVICE_STATE;

#define FWPM_PROVIDER FWPM_PROVIDER0
#define FWPM_SUBLAYER FWPM_SUBLAYER0
#define FWPM_LAYER FWPM_LAYER0
#define FWPM_FIELD FWPM_FIELD0
#define FWPM_CALLOUT FWPM_CALLOUT0
#define FWPM_ACTION FWPM_ACTION0
#define FWPM_FILTER_CONDITION FWPM_FILTER_CONDITION0
#define FWPM_FILTER FWPM_FILTER0
#define FWPM_SESSION FWPM_SESSION0
#define FWPM_PROVIDER_CONTEXT FWPM_PROVIDER_CONTEXT3

#endif
